{{ config(post_hook="{{ create_change_decomposition_since() }}") }}
-- The table macro asks it for the months before Table 3 begins. depends_on: {{ ref('fct_series') }}

-- Was it selling or price? Table 3 tells, of each holder and month, how much long-term holdings changed in
-- value and how much was bought; what is left over stands beside them and is folded into neither. Of
-- short-term holdings there is no valuation: net purchases are the change in position.

with cells as (
    {{ latest(ref('stg_tic__slt_table3'), ['label', 'code', 'period_end', 'measure']) }}
),

figures as (
    select
        holder_id,
        period_end,
        {{ month_number('period_end') }} as month_number,
        max(case when measure = 'holdings_long_term' then value_usd_bn end) as holdings_long_term,
        max(case when measure = 'holdings_short_term' then value_usd_bn end) as holdings_short_term,
        max(case when measure = 'holdings_total' then value_usd_bn end) as holdings_total,
        max(case when measure = 'net_sales_long_term' then value_usd_bn end) as net_long_term,
        max(case when measure = 'net_sales_short_term' then value_usd_bn end) as net_short_term,
        max(case when measure = 'valuation_change_long_term' then value_usd_bn end) as valuation_long_term,
        max(released_on) as released_on
    from cells
    where status <> 'deleted'
    group by holder_id, period_end
),

changes as (
    select
        figures.*,
        month_before.month_number is not null as has_month_before,
        round(figures.holdings_long_term - month_before.holdings_long_term, 3) as change_long_term,
        round(figures.holdings_short_term - month_before.holdings_short_term, 3) as change_short_term,
        round(figures.holdings_total - month_before.holdings_total, 3) as change_total
    from figures
    left join figures as month_before
        on
            figures.holder_id = month_before.holder_id
            and figures.month_number = month_before.month_number + 1
),

decomposed as (
    select
        changes.*,
        round(change_long_term - net_long_term - valuation_long_term, 3) as other_long_term,
        round(change_short_term - net_short_term, 3) as other_short_term,
        round(net_long_term + net_short_term, 3) as net_total,
        round(change_total - net_long_term - net_short_term - valuation_long_term, 3) as other_total
    from changes
),

-- Months in a row of which the whole change is decomposed; within such a run this difference stays the same.
runs as (
    select
        decomposed.*,
        case
            when other_total is not null
                then month_number - row_number() over (
                    partition by holder_id, case when other_total is null then 0 else 1 end
                    order by month_number
                )
        end as run
    from decomposed
)

select
    runs.holder_id,
    holders.holder_name,
    holders.kind,
    runs.period_end,
    runs.holdings_total as holdings_usd_bn,
    runs.change_total as change_usd_bn,
    runs.net_total as net_purchases_usd_bn,
    case when runs.other_total is not null then runs.valuation_long_term end as valuation_change_usd_bn,
    runs.other_total as other_change_usd_bn,
    runs.holdings_long_term as holdings_long_term_usd_bn,
    runs.change_long_term as change_long_term_usd_bn,
    runs.net_long_term as net_purchases_long_term_usd_bn,
    runs.valuation_long_term as valuation_change_long_term_usd_bn,
    runs.other_long_term as other_change_long_term_usd_bn,
    runs.holdings_short_term as holdings_short_term_usd_bn,
    runs.change_short_term as change_short_term_usd_bn,
    runs.net_short_term as net_purchases_short_term_usd_bn,
    runs.other_short_term as other_change_short_term_usd_bn,
    case
        when runs.other_total is not null then null
        when runs.holdings_total is null
            then 'total and short-term holdings are not published for this holder'
        when not runs.has_month_before then 'no figure for the month before'
        when runs.period_end < date '2023-02-28'
            then 'net purchases and valuation of long-term holdings are published from February 2023 on'
        else 'a part is not published for this month'
    end as missing_because,
    -- Running sums of the unbroken run: since any month of it, a difference of two rows.
    min(case when runs.run is not null then runs.period_end end) over (
        partition by runs.holder_id, runs.run
    ) as run_begins,
    {{ running_sum('runs.change_total') }} as cumulative_change_usd_bn,
    {{ running_sum('runs.net_total') }} as cumulative_net_purchases_usd_bn,
    {{ running_sum('runs.valuation_long_term') }} as cumulative_valuation_change_usd_bn,
    {{ running_sum('runs.other_total') }} as cumulative_other_change_usd_bn,
    runs.released_on
from runs
inner join {{ ref('holders') }} as holders on runs.holder_id = holders.holder_id
