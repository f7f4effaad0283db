-- The ranking of every month, wide: level, share, changes, and long- and short-term parts from Table 3.

with grand_total as (
    select
        period_end,
        holdings_usd_bn
    from {{ ref('fct_holdings') }}
    where holder_id = 'GRAND_TOTAL' and status = 'published'
),

-- The last business day of the month; a month that is not over has none.
debt as (
    select
        period_end,
        value as debt_total_usd_bn,
        row_number() over (
            partition by extract(year from period_end), extract(month from period_end)
            order by period_end desc
        ) as from_month_end
    from {{ ref('fct_series') }}
    where series = 'debt_total' and status = 'published'
),

latest as (
    select max(period_end) as period_end from grand_total
),

numbered as (
    select
        table3.*,
        row_number() over (
            partition by holder_id, period_end, measure order by released_on desc, reissue desc
        ) as recency
    from {{ ref('stg_tic__slt_table3') }} as table3
    where measure in ('holdings_long_term', 'holdings_short_term')
),

parts as (
    select
        holder_id,
        period_end,
        max(case when measure = 'holdings_long_term' then value_usd_bn end) as long_term_usd_bn,
        max(case when measure = 'holdings_short_term' then value_usd_bn end) as short_term_usd_bn
    from numbered
    where recency = 1
    group by holder_id, period_end
)

select
    changes.period_end,
    changes.holder_rank,
    changes.holder_id,
    holders.holder_name,
    holders.holder_name_zh,
    holders.region,
    holders.custody_centre as is_custody_centre,
    changes.holdings_usd_bn,
    changes.holdings_usd_bn / grand_total.holdings_usd_bn as share_of_foreign_ratio,
    changes.holdings_usd_bn / debt.debt_total_usd_bn as share_of_debt_ratio,
    grand_total.holdings_usd_bn as foreign_total_usd_bn,
    debt.debt_total_usd_bn,
    parts.long_term_usd_bn,
    parts.short_term_usd_bn,
    changes.change_1m_usd_bn,
    changes.change_3m_usd_bn,
    changes.change_12m_usd_bn,
    changes.change_12m_pct,
    changes.change_ytd_usd_bn,
    changes.change_since_peak_usd_bn,
    changes.rank_gain_1m,
    changes.rank_gain_12m,
    changes.streak_months,
    changes.period_end = latest.period_end as is_latest_month,
    changes.released_on,
    changes.dataset
from {{ ref('fct_holding_changes') }} as changes
inner join {{ ref('holders') }} as holders on changes.holder_id = holders.holder_id
inner join grand_total on changes.period_end = grand_total.period_end
cross join latest
left join debt
    on
        extract(year from changes.period_end) = extract(year from debt.period_end)
        and extract(month from changes.period_end) = extract(month from debt.period_end)
        and debt.from_month_end = 1
        and {{ add_days('debt.period_end', '5') }} > changes.period_end
left join parts
    on changes.holder_id = parts.holder_id and changes.period_end = parts.period_end
where changes.kind = 'country'
