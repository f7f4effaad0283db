select
    series,
    entity,
    entity_kind,
    frequency,
    period_end,
    value,
    unit,
    status,
    released_on,
    version,
    archived_on,
    dataset,
    evidence,
    segment,
    archive_sha256,
    line
from {{ ref('fct_series_vintages') }}
where superseded_on is null and status <> 'deleted'
