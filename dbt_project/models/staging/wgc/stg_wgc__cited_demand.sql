select
    'wgc/cited_demand' as dataset,
    label,
    period_end,
    measure,
    value as value_tonnes,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'wgc__cited_demand') }}
