-- The other column's figure where a month was published in two series, and the breaks without one.

with numbered as (
    select
        old_series.*,
        row_number() over (
            partition by holder_id, period_end order by released_on desc, reissue desc, label asc
        ) as recency
    from {{ ref('stg_tic__mfhhis01') }} as old_series
    where series = 'old'
),

old_series as (
    select * from numbered
    where recency = 1 and status <> 'deleted'
),

-- A break of the whole table has a row for each holder that stands on either side of it.
continuing as (
    select
        holdings.holder_id,
        holdings.period_end,
        breaks.reason,
        holdings.holdings_usd_bn,
        holdings.released_on
    from {{ ref('fct_holdings') }} as holdings
    inner join {{ ref('series_breaks') }} as breaks
        on
            holdings.period_end = breaks.period_end
            and holdings.holder_id = coalesce(breaks.holder_id, holdings.holder_id)
),

both_series as (
    select
        coalesce(continuing.holder_id, old_series.holder_id) as holder_id,
        coalesce(continuing.period_end, old_series.period_end) as period_end,
        old_series.value_usd_bn as holdings_usd_bn,
        old_series.status,
        continuing.holdings_usd_bn as continuing_holdings_usd_bn,
        continuing.reason,
        coalesce(old_series.released_on, continuing.released_on) as released_on
    from continuing
    full outer join old_series
        on
            continuing.holder_id = old_series.holder_id
            and continuing.period_end = old_series.period_end
)

select
    both_series.holder_id,
    holders.holder_name,
    holders.kind,
    both_series.period_end,
    both_series.holdings_usd_bn,
    both_series.continuing_holdings_usd_bn,
    round(both_series.continuing_holdings_usd_bn - both_series.holdings_usd_bn, 3) as break_usd_bn,
    both_series.status,
    coalesce(both_series.reason, breaks.reason) as reason,
    both_series.released_on
from both_series
inner join {{ ref('holders') }} as holders on both_series.holder_id = holders.holder_id
left join {{ ref('series_breaks') }} as breaks
    on both_series.period_end = breaks.period_end and breaks.holder_id is null
