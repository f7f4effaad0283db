-- The parts of the reserves sum to the total, their shares to 1, and foreign exchange is told either split or
-- not. Tolerance: a dollar, since amounts are sums and differences of floats of a few thousand billion.
select
    holder_id,
    period_end,
    sum(amount_usd_bn) - max(total_usd_bn) as gap_usd_bn,
    sum(share_of_total_ratio) - 1 as gap_ratio
from {{ ref('fct_reserve_composition') }}
group by holder_id, period_end
having
    abs(sum(amount_usd_bn) - max(total_usd_bn)) > 0.000000001
    or abs(sum(share_of_total_ratio) - 1) > 0.000000000001
    or count(*) <> case
        when max(case when component = 'foreign_exchange_unsplit' then 1 else 0 end) = 1 then 5 else 6
    end
