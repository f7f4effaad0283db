-- How well CBO projects, by component and how many years ahead; a baseline's own fiscal year is year 1. Years
-- before it were over, and are no projections; nor are figures known to have been misprinted counted.

select
    component,
    horizon_years,
    cast(count(*) as integer) as projections,
    round({{ exact_sum('error_pct') }} / count(*), 2) as mean_error_pct,
    round({{ exact_sum('abs(error_pct)') }} / count(*), 2) as mean_absolute_error_pct,
    round(
        cast(percentile_cont(0.5) within group (order by abs(error_pct)) as double precision), 2
    ) as median_absolute_error_pct,
    round(
        cast(percentile_cont(0.9) within group (order by abs(error_pct)) as double precision), 2
    ) as p90_absolute_error_pct,
    cast(sum(case when error_usd_bn < 0 then 1 else 0 end) as integer) as too_low
from {{ ref('fct_interest_projections') }}
where error_pct is not null and horizon_years >= 1 and correction is null
group by component, horizon_years
