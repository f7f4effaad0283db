-- In which unbroken stretch of its series a holder's month lies. Two months compare if the segment is one.

with months as (
    select distinct
        holder_id,
        period_end
    from {{ ref('int_holdings__versions') }}
),

breaks as (
    select
        holder_id,
        period_end
    from {{ ref('series_breaks') }}
)

select
    months.holder_id,
    months.period_end,
    count(breaks.period_end) as segment,
    max(breaks.period_end) as segment_begins
from months
left join breaks
    on
        months.period_end >= breaks.period_end
        and months.holder_id = coalesce(breaks.holder_id, months.holder_id)
group by months.holder_id, months.period_end
