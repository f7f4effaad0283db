-- What two publishers say of the same thing: a difference beyond the tolerance is reported and stops nothing.
{{ config(severity='warn') }}

select
    check_id,
    entity,
    period_end,
    released_on,
    difference,
    tolerance
from {{ ref('mart_reconciliation') }}
where verdict = 'differs' and severity = 'warn'
