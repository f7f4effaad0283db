-- For how many months in a row a holder has risen (positive) or fallen (negative) up to each month.
-- A month without a comparable month before it, or without a change, ends a streak.

with directions as (
    select
        current_month.holder_id,
        current_month.period_end,
        current_month.month_number,
        case
            when
                current_month.holder_id = 'ALL_OTHER' or month_before.holder_id is null
                or month_before.segment <> current_month.segment then 0
            when current_month.holdings_usd_bn > month_before.holdings_usd_bn then 1
            when current_month.holdings_usd_bn < month_before.holdings_usd_bn then -1
            else 0
        end as direction
    from {{ ref('int_holdings__ranked') }} as current_month
    left join {{ ref('int_holdings__ranked') }} as month_before
        on
            current_month.holder_id = month_before.holder_id
            and current_month.month_number = month_before.month_number + 1
),

-- Within a run of one direction without a gap, this difference stays the same.
runs as (
    select
        directions.*,
        month_number - row_number() over (
            partition by holder_id, direction order by month_number
        ) as run
    from directions
)

select
    holder_id,
    period_end,
    cast(
        direction * row_number() over (partition by holder_id, direction, run order by month_number)
        as integer
    ) as streak_months
from runs
