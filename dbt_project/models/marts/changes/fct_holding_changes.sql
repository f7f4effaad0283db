with holdings as (
    select * from {{ ref('int_holdings__ranked') }}
)

select
    current_month.holder_id,
    holders.holder_name,
    current_month.kind,
    current_month.period_end,
    current_month.holdings_usd_bn,
    {{ change_since('month_1', '1m') }},
    {{ change_since('month_3', '3m') }},
    {{ change_since('month_12', '12m') }},
    {{ change_since('december', 'ytd') }},
    case
        when
            extract(month from current_month.period_end) = 12
            and current_month.holder_id <> 'ALL_OTHER' and december.segment = current_month.segment
            then round(current_month.holdings_usd_bn - december.holdings_usd_bn, 3)
    end as change_calendar_year_usd_bn,
    case
        when
            current_month.holder_id <> 'ALL_OTHER' and month_12.segment = current_month.segment
            and month_12.holdings_usd_bn > 0
            then round(100 * (current_month.holdings_usd_bn / month_12.holdings_usd_bn - 1), 2)
    end as change_12m_pct,
    case when current_month.holder_id <> 'ALL_OTHER' then extremes.peak_usd_bn end as peak_usd_bn,
    case when current_month.holder_id <> 'ALL_OTHER' then extremes.peak_period_end end as peak_period_end,
    case
        when current_month.holder_id <> 'ALL_OTHER'
            then round(current_month.holdings_usd_bn - extremes.peak_usd_bn, 3)
    end as change_since_peak_usd_bn,
    current_month.holder_rank,
    month_1.holder_rank - current_month.holder_rank as rank_gain_1m,
    month_12.holder_rank - current_month.holder_rank as rank_gain_12m,
    streaks.streak_months,
    extremes.lowest_since,
    extremes.is_lowest_since_across_break,
    extremes.highest_since,
    extremes.is_highest_since_across_break,
    current_month.released_on,
    current_month.dataset
from holdings as current_month
inner join {{ ref('holders') }} as holders on current_month.holder_id = holders.holder_id
inner join {{ ref('int_holdings__streaks') }} as streaks
    on current_month.holder_id = streaks.holder_id and current_month.period_end = streaks.period_end
inner join {{ ref('int_holdings__extremes') }} as extremes
    on current_month.holder_id = extremes.holder_id and current_month.period_end = extremes.period_end
left join holdings as month_1
    on
        current_month.holder_id = month_1.holder_id
        and current_month.month_number = month_1.month_number + 1
left join holdings as month_3
    on
        current_month.holder_id = month_3.holder_id
        and current_month.month_number = month_3.month_number + 3
left join holdings as month_12
    on
        current_month.holder_id = month_12.holder_id
        and current_month.month_number = month_12.month_number + 12
left join holdings as december
    on
        current_month.holder_id = december.holder_id
        and december.month_number
        = cast(extract(year from current_month.period_end) as integer) * 12
