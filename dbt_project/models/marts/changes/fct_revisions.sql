-- Every cell whose published value moved: what it was, what it became, when, and by which table.

with versions as (
    select
        vintages.*,
        lag(holdings_usd_bn) over (partition by holder_id, period_end order by version) as previous_usd_bn,
        lag(status) over (partition by holder_id, period_end order by version) as previous_status,
        lag(released_on) over (partition by holder_id, period_end order by version) as previous_released_on,
        lag(dataset) over (partition by holder_id, period_end order by version) as previous_dataset,
        first_value(holdings_usd_bn)
            over (partition by holder_id, period_end order by version)
            as first_usd_bn,
        first_value(released_on)
            over (partition by holder_id, period_end order by version)
            as first_released_on
    from {{ ref('fct_holdings_vintages') }} as vintages
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
-- Another table's All Other, or the same figure in finer or coarser rounding, is no revision.
and not (holder_id = 'ALL_OTHER' and dataset <> previous_dataset)
and not (
    status = 'published' and previous_status = 'published'
    and (dataset = 'tic/slt_table3' or previous_dataset = 'tic/slt_table3')
    and dataset <> previous_dataset
    and abs(holdings_usd_bn - previous_usd_bn) <= 0.0501
)
