select
    'fed/treast' as dataset,
    label,
    period_end,
    measure,
    round(value * 0.001, 3) as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'fed__treast') }}
