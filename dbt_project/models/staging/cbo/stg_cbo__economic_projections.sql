select
    'cbo/economic_projections' as dataset,
    label,
    'gdp' as component,
    cast(extract(year from period_end) as integer) as fiscal_year,
    -- The file does not tell reliably, but its first years are over.
    period_end < released_on as is_actual,
    period_end,
    measure,
    value as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'cbo__economic_projections') }}
