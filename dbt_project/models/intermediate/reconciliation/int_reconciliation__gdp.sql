-- Nominal GDP of a fiscal year: the mean of its quarters from BEA, and what CBO has, as both stand today.
-- Compared are years that had been through an annual update, each September, when CBO took them. Of the
-- newest, the last quarter has only its first estimates, and the two need not have the same one.

with quarters as (
    {{ latest(ref('stg_bea__gdp'), ['label', 'period_end', 'measure']) }}
),

actual as (
    {{ latest(ref('stg_cbo__actual_gdp'), ['label', 'period_end', 'measure']) }}
),

by_fiscal_year as (
    select
        extract(year from period_end)
        + case when extract(month from period_end) >= 10 then 1 else 0 end as fiscal_year,
        value_usd_bn,
        released_on
    from quarters
),

means as (
    select
        fiscal_year,
        {{ exact_sum('value_usd_bn') }} / 4 as value_usd_bn,
        max(released_on) as released_on
    from by_fiscal_year
    group by fiscal_year
    having count(value_usd_bn) = 4
)

select
    'bea_cbo_fiscal_year_gdp' as check_id,
    'USA' as entity,
    actual.period_end,
    case
        when actual.released_on >= means.released_on then actual.released_on else means.released_on
    end as released_on,
    means.value_usd_bn as left_value,
    actual.value_usd_bn as right_value,
    cast(null as varchar) as correction
from actual
inner join means on actual.fiscal_year = means.fiscal_year
where
    actual.value_usd_bn is not null
    and actual.fiscal_year < extract(year from actual.released_on) - 1
