select
    holder_id,
    holder_name,
    kind,
    aggregate_kind,
    period_end,
    tonnes,
    fine_oz,
    status,
    is_month_exact,
    released_on,
    version,
    dataset,
    archive_sha256,
    line
from {{ ref('fct_gold_holdings_vintages') }}
where superseded_on is null and status <> 'deleted'
