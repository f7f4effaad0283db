-- The peak of the unbroken series up to each month, and since when a holder has not held as little or much.

with marked as (
    select
        holdings.*,
        coalesce(
            holdings_usd_bn > max(holdings_usd_bn) over (
                partition by holder_id, segment
                order by month_number rows between unbounded preceding and 1 preceding
            ),
            true
        ) as is_new_peak
    from {{ ref('int_holdings__ranked') }} as holdings
),

peaks as (
    select
        marked.*,
        max(holdings_usd_bn) over (
            partition by holder_id, segment order by month_number
        ) as peak_usd_bn,
        max(case when is_new_peak then period_end end) over (
            partition by holder_id, segment order by month_number
        ) as peak_period_end
    from marked
),

-- Levels are compared over the whole history, breaks included: that is what "lowest since" means in print.
earlier as (
    select
        current_month.holder_id,
        current_month.period_end,
        max(
            case when past.holdings_usd_bn <= current_month.holdings_usd_bn then past.period_end end
        ) as lowest_since,
        max(
            case when past.holdings_usd_bn >= current_month.holdings_usd_bn then past.period_end end
        ) as highest_since
    from {{ ref('int_holdings__ranked') }} as current_month
    left join {{ ref('int_holdings__ranked') }} as past
        on
            current_month.holder_id = past.holder_id
            and current_month.month_number > past.month_number
    group by current_month.holder_id, current_month.period_end
)

select
    peaks.holder_id,
    peaks.period_end,
    peaks.peak_usd_bn,
    peaks.peak_period_end,
    earlier.lowest_since,
    earlier.highest_since,
    coalesce(earlier.lowest_since < peaks.segment_begins, false) as is_lowest_since_across_break,
    coalesce(earlier.highest_since < peaks.segment_begins, false) as is_highest_since_across_break
from peaks
inner join earlier
    on peaks.holder_id = earlier.holder_id and peaks.period_end = earlier.period_end
