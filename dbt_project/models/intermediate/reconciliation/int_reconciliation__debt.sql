-- Debt to the Penny: the two parts against the total, on each day that has all three, as they stand today.

with standing as (
    {{ latest(ref('stg_fiscaldata__debt_to_penny'), ['label', 'period_end', 'measure']) }}
),

by_day as (
    select
        period_end,
        max(released_on) as released_on,
        max(case when component = 'held_by_public' then value_usd_bn end) as held_by_public_usd_bn,
        max(case when component = 'intragovernmental' then value_usd_bn end) as intragovernmental_usd_bn,
        max(case when component = 'total' then value_usd_bn end) as total_usd_bn,
        max(correction) as correction
    from standing
    group by period_end
)

select
    'debt_total_parts' as check_id,
    'USA' as entity,
    period_end,
    released_on,
    held_by_public_usd_bn + intragovernmental_usd_bn as left_value,
    total_usd_bn as right_value,
    correction
from by_day
where held_by_public_usd_bn is not null and intragovernmental_usd_bn is not null and total_usd_bn is not null
