-- Every cell whose published value moved: what it was, what it became, when, and by which table.

-- All Other names other countries in each table, so that its figures are compared within one table only.
with vintages as (
    select
        vintages.*,
        case when holder_id = 'ALL_OTHER' then dataset else 'any' end as comparable
    from {{ ref('fct_holdings_vintages') }} as vintages
),

versions as (
    select
        vintages.*,
        lag(holdings_usd_bn) over cell as previous_usd_bn,
        lag(status) over cell as previous_status,
        lag(released_on) over cell as previous_released_on,
        lag(dataset) over cell as previous_dataset,
        first_value(holdings_usd_bn) over cell as first_usd_bn,
        first_value(released_on) over cell as first_released_on
    from vintages
    window cell as (partition by holder_id, period_end, comparable order by version)
)

select
    holder_id,
    holder_name,
    kind,
    period_end,
    released_on,
    version,
    holdings_usd_bn,
    status,
    previous_usd_bn,
    previous_status,
    previous_released_on,
    round(holdings_usd_bn - previous_usd_bn, 3) as revision_usd_bn,
    case
        when previous_usd_bn > 0 then round(100 * (holdings_usd_bn / previous_usd_bn - 1), 3)
    end as revision_pct,
    first_usd_bn,
    first_released_on,
    round(holdings_usd_bn - first_usd_bn, 3) as revision_since_first_print_usd_bn,
    {{ month_number('released_on') }} - {{ month_number('period_end') }} as age_months,
    dataset,
    previous_dataset,
    evidence,
    reissue
from versions
where previous_released_on is not null
-- The same figure in finer or coarser rounding is no revision.
and not (
    status = 'published' and previous_status = 'published'
    and (dataset = 'tic/slt_table3' or previous_dataset = 'tic/slt_table3')
    and dataset <> previous_dataset
    and abs(holdings_usd_bn - previous_usd_bn) <= 0.0501
)
