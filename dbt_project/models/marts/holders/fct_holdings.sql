select
    holder_id,
    holder_name,
    kind,
    period_end,
    holdings_usd_bn,
    status,
    released_on,
    version,
    dataset,
    evidence,
    archive_sha256,
    line
from {{ ref('fct_holdings_vintages') }}
where superseded_on is null and status <> 'deleted'
