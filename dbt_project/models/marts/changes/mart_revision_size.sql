-- How large revisions typically are: by dataset, measure and age of the figure.

with aged as (
    select
        dataset,
        measure,
        case
            when age_months < 0 then 'before the period ended'
            when age_months <= 3 then 'up to 3 months'
            when age_months <= 12 then '4 to 12 months'
            when age_months <= 36 then '13 to 36 months'
            else 'over 36 months'
        end as age,
        case
            when age_months < 0 then -1
            when age_months <= 3 then 0
            when age_months <= 12 then 4
            when age_months <= 36 then 13
            else 37
        end as age_from_months,
        abs(revision_pct) as size_pct,
        revision_pct,
        abs(revision_usd_bn) as size_usd_bn
    from {{ ref('fct_revisions') }}
    where revision_pct is not null
)

select
    aged.dataset,
    aged.measure,
    aged.age,
    aged.age_from_months,
    cast(count(*) as integer) as revisions,
    round(cast(percentile_cont(0.5) within group (order by aged.size_pct) as double precision), 3)
        as median_size_pct,
    round(cast(percentile_cont(0.95) within group (order by aged.size_pct) as double precision), 3)
        as p95_size_pct,
    max(aged.size_pct) as largest_size_pct,
    round({{ exact_sum('aged.revision_pct') }} / count(*), 3) as mean_revision_pct,
    cast(sum(case when aged.revision_pct > 0 then 1 else 0 end) as integer) as upward,
    max(aged.size_usd_bn) as largest_size_usd_bn,
    max(100 * datasets.plausible_revision_ratio) as plausible_pct,
    cast(
        sum(
            case when aged.size_pct > 100 * datasets.plausible_revision_ratio + 0.05 then 1 else 0 end
        ) as integer
    ) as beyond_plausible
from aged
inner join {{ source('raw', 'datasets') }} as datasets on aged.dataset = datasets.dataset
group by aged.dataset, aged.measure, aged.age, aged.age_from_months
