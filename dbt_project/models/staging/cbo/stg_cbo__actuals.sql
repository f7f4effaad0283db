select
    'cbo/actuals' as dataset,
    label,
    {{ cbo_component('label') }} as component,
    cast(extract(year from period_end) as integer) as fiscal_year,
    period_end,
    measure,
    value as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'cbo__actuals') }}
