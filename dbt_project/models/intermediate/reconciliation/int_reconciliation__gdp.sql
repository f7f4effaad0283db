-- Nominal GDP of a fiscal year: the mean of its four quarters from BEA, and what CBO has, as both stand today.
-- Compared are years that had been through an annual update, each September, when CBO took them: of the newest
-- the last quarter has only its first estimates, and the two publishers need not have the same one.

with quarters as (
    {{ latest(ref('stg_bea__gdp'), ['label', 'period_end', 'measure']) }}
),

actual as (
    {{ latest(ref('stg_cbo__actual_gdp'), ['label', 'period_end', 'measure']) }}
),

of_a_fiscal_year as (
    select
        extract(year from period_end) + case when extract(month from period_end) >= 10 then 1 else 0 end as fiscal_year,
        avg(value_usd_bn) as value_usd_bn,
        max(released_on) as released_on
    from quarters
    group by extract(year from period_end) + case when extract(month from period_end) >= 10 then 1 else 0 end
    having count(value_usd_bn) = 4
)

select
    'bea_cbo_fiscal_year_gdp' as check_id,
    'USA' as entity,
    actual.period_end,
    case
        when actual.released_on >= of_a_fiscal_year.released_on then actual.released_on
        else of_a_fiscal_year.released_on
    end as released_on,
    of_a_fiscal_year.value_usd_bn as left_value,
    actual.value_usd_bn as right_value,
    cast(null as varchar) as correction
from actual
inner join of_a_fiscal_year on actual.fiscal_year = of_a_fiscal_year.fiscal_year
where
    actual.value_usd_bn is not null
    and actual.fiscal_year < extract(year from actual.released_on) - 1
