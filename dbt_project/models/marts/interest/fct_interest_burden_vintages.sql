{{ config(post_hook="{{ create_as_of('fct_interest_burden') }}") }}

-- Interest beside what it is held against, by fiscal year: a version on each day on which one figure changed.

{%- set components = {
    'net_interest': 'net_interest_usd_bn',
    'defense_discretionary': 'defense_discretionary_usd_bn',
    'revenues_total': 'revenues_usd_bn',
    'gdp': 'gdp_usd_bn',
    'gross_interest': 'gross_interest_usd_bn',
} %}

with figures as (
    select
        series,
        period_end,
        value,
        status,
        released_on,
        superseded_on,
        dataset
    from {{ ref('fct_series_vintages') }}
    where
        entity = 'USA' and frequency = 'fiscal_year'
        and series in ({% for series in components %}'{{ series }}'{% if not loop.last %}, {% endif %}{% endfor %})
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
        {%- for series, column in components.items() %}
        max(case when figures.series = '{{ series }}' and figures.status = 'published' then figures.value end)
            as {{ column }},
        {%- endfor %}
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
    {%- for column in components.values() %}
    {{ column }},
    {%- endfor %}
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
