-- Today's published holdings with what comparisons need: the month as a number, the segment, the rank.
-- Only countries are ranked; an aggregate has no rank.

with published as (
    select
        holdings.holder_id,
        holdings.kind,
        holdings.period_end,
        {{ month_number('holdings.period_end') }} as month_number,
        holdings.holdings_usd_bn,
        holdings.released_on,
        holdings.dataset,
        segments.segment,
        segments.segment_begins
    from {{ ref('fct_holdings') }} as holdings
    inner join {{ ref('int_holdings__segments') }} as segments
        on holdings.holder_id = segments.holder_id and holdings.period_end = segments.period_end
    where holdings.status = 'published'
)

select
    published.*,
    case
        when kind = 'country'
            then cast(rank() over (partition by period_end, kind order by holdings_usd_bn desc) as integer)
    end as holder_rank
from published
