select
    'worldbank/gold_price' as dataset,
    label,
    period_end,
    measure,
    value as usd_per_fine_oz,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'worldbank__gold_price') }}
