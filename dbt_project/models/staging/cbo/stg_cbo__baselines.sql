with observations as (
    select
        *,
        cast(baseline_date as date) as baseline_month,
        cast(extract(year from period_end) as integer) as fiscal_year
    from {{ corrected('cbo/baselines', ['label', 'baseline_date']) }} as published
)

select
    'cbo/baselines' as dataset,
    label,
    {{ cbo_component('label') }} as component,
    baseline_month as baseline_date,
    fiscal_year,
    -- Counted from the fiscal year of the baseline, which begins in October.
    fiscal_year - cast(extract(year from baseline_month) as integer) + 1
    - case when extract(month from baseline_month) >= 10 then 1 else 0 end as projected_year,
    period_end,
    measure,
    value as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line,
    correction
from observations
