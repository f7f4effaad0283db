-- Tables of one publisher that state the same figure, and sums that must close: a difference beyond the
-- tolerance in seeds/reconciliation_checks.csv stops the build, unless a correction excepts it.
select
    check_id,
    entity,
    period_end,
    released_on,
    difference,
    tolerance
from {{ ref('mart_reconciliation') }}
where verdict = 'differs' and severity = 'error'
