{{ config(post_hook="{{ create_as_of('fct_interest_burden') }}") }}

-- Interest beside what it is held against, by fiscal year: a version on each day on which one figure changed.

with figures as (
    select
        series,
        period_end,
        case when status = 'published' then value end as usd_bn,
        released_on,
        superseded_on,
        dataset
    from {{ ref('fct_series_vintages') }}
    where
        entity = 'USA' and frequency = 'fiscal_year'
        and series in ('net_interest', 'defense_discretionary', 'revenues_total', 'gdp', 'gross_interest')
),

days as (
    select distinct
        period_end,
        released_on
    from figures
),

versions as (
    select
        days.period_end,
        days.released_on,
        max(case when figures.series = 'net_interest' then figures.usd_bn end) as net_interest_usd_bn,
        max(case when figures.series = 'defense_discretionary' then figures.usd_bn end)
            as defense_discretionary_usd_bn,
        max(case when figures.series = 'revenues_total' then figures.usd_bn end) as revenues_usd_bn,
        max(case when figures.series = 'gdp' then figures.usd_bn end) as gdp_usd_bn,
        max(case when figures.series = 'gross_interest' then figures.usd_bn end) as gross_interest_usd_bn,
        {{ joined_text('figures.dataset') }} as datasets
    from days
    inner join figures
        on
            days.period_end = figures.period_end
            and days.released_on >= figures.released_on
            and (figures.superseded_on is null or days.released_on < figures.superseded_on)
    group by days.period_end, days.released_on
)

select
    cast(extract(year from period_end) as integer) as fiscal_year,
    period_end,
    net_interest_usd_bn,
    defense_discretionary_usd_bn,
    revenues_usd_bn,
    gdp_usd_bn,
    gross_interest_usd_bn,
    net_interest_usd_bn / defense_discretionary_usd_bn as net_interest_to_defense_ratio,
    100 * net_interest_usd_bn / revenues_usd_bn as net_interest_to_revenues_pct,
    100 * net_interest_usd_bn / gdp_usd_bn as net_interest_to_gdp_pct,
    net_interest_usd_bn > defense_discretionary_usd_bn as exceeds_defense,
    case when net_interest_usd_bn is null then 'not_available' else 'published' end as status,
    released_on,
    lead(released_on) over (partition by period_end order by released_on) as superseded_on,
    cast(row_number() over (partition by period_end order by released_on) as integer) as version,
    datasets
from versions
