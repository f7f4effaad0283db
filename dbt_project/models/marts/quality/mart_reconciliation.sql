with compared as (
    select * from {{ ref('int_reconciliation__tic') }}
    union all
    select * from {{ ref('int_reconciliation__debt') }}
    union all
    select * from {{ ref('int_reconciliation__safe') }}
    union all
    select * from {{ ref('int_reconciliation__gold') }}
    union all
    select * from {{ ref('int_reconciliation__cbo') }}
    union all
    select * from {{ ref('int_reconciliation__gdp') }}
),

differences as (
    select
        compared.*,
        compared.left_value - compared.right_value as difference
    from compared
)

select
    differences.check_id,
    differences.entity,
    differences.period_end,
    differences.released_on,
    checks.compares,
    checks.against,
    differences.left_value,
    differences.right_value,
    differences.difference,
    checks.unit,
    checks.tolerance,
    case
        when abs(differences.difference) <= checks.tolerance then 'agrees'
        when differences.correction is not null then 'excepted'
        else 'differs'
    end as verdict,
    differences.correction,
    checks.severity,
    checks.reason as tolerance_reason
from differences
inner join {{ ref('reconciliation_checks') }} as checks on differences.check_id = checks.check_id
