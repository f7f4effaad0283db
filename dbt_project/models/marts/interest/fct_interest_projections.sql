-- Every projection of CBO's baselines, and how far off it was. An error is what was projected less what came
-- true, as that stands today: above zero, CBO expected more.

with baselines as (
    {{ latest(ref('stg_cbo__baselines'), ['label', 'baseline_date', 'period_end', 'measure']) }}
),

-- What came true by the table that is kept to evaluate these projections; another total is another component.
actuals as (
    {{ latest(ref('stg_cbo__actuals'), ['label', 'period_end', 'measure']) }}
)

select
    baselines.component,
    baselines.baseline_date,
    baselines.fiscal_year,
    cast(baselines.projected_year as integer) as horizon_years,
    baselines.period_end,
    baselines.value_usd_bn as projected_usd_bn,
    actuals.value_usd_bn as actual_usd_bn,
    round(baselines.value_usd_bn - actuals.value_usd_bn, 3) as error_usd_bn,
    case
        when actuals.value_usd_bn <> 0
            then round(
                100 * (baselines.value_usd_bn - actuals.value_usd_bn) / abs(actuals.value_usd_bn), 3
            )
    end as error_pct,
    baselines.correction,
    baselines.released_on,
    actuals.released_on as actual_released_on
from baselines
left join actuals
    on
        baselines.component = actuals.component
        and baselines.fiscal_year = actuals.fiscal_year
        and actuals.status = 'published'
where baselines.status = 'published'
