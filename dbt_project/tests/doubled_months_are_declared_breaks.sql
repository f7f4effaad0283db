-- A month published in two series is a break that `series_breaks` must tell, and the other way round.
with doubled as (
    select distinct period_end from {{ ref('stg_tic__mfhhis01') }}
    where series = 'old'
),

declared as (
    select period_end from {{ ref('series_breaks') }}
    where has_both_series
),

loaded as (
    select count(*) as releases from {{ ref('stg_tic__mfhhis01') }}
)

select
    doubled.period_end as published_in_two_series,
    declared.period_end as declared_in_two_series
from doubled
full outer join declared on doubled.period_end = declared.period_end
cross join loaded
where (doubled.period_end is null or declared.period_end is null) and loaded.releases > 0
