select
    fiscal_year,
    period_end,
    net_interest_usd_bn,
    defense_discretionary_usd_bn,
    revenues_usd_bn,
    gdp_usd_bn,
    gross_interest_usd_bn,
    net_interest_to_defense_ratio,
    net_interest_to_revenues_pct,
    net_interest_to_gdp_pct,
    exceeds_defense,
    status,
    released_on,
    version,
    datasets
from {{ ref('fct_interest_burden_vintages') }}
where superseded_on is null
