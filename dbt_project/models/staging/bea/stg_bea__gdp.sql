select
    'bea/gdp' as dataset,
    label,
    period_end,
    measure,
    value as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'bea__gdp') }}
