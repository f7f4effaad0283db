select
    'cbo/long_term_budget' as dataset,
    label,
    'gdp' as component,
    cast(extract(year from period_end) as integer) as fiscal_year,
    period_end < released_on as is_actual,
    period_end,
    measure,
    -- Published in USD trillion to the thousandth.
    round(value * 1000, 3) as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'cbo__long_term_budget') }}
