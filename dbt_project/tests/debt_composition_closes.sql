-- The five parts of the debt sum to the total in every month, and their shares to 1. Tolerance: a dollar, and
-- a trillionth; both the debt and its parts are published to the cent, and floats of 40,000 bn tell a
-- hundred-thousandth of a dollar apart.
select
    period_end,
    count(*) as parts,
    sum(amount_usd_bn) - max(total_debt_usd_bn) as gap_usd_bn,
    sum(share_of_total_ratio) - 1 as gap_ratio
from {{ ref('fct_debt_composition') }}
group by period_end
having
    count(*) <> 5
    or abs(sum(amount_usd_bn) - max(total_debt_usd_bn)) > 0.000000001
    or abs(sum(share_of_total_ratio) - 1) > 0.000000000001
