-- change = net purchases + valuation + other changes, to the last thousandth, of all and of each part.
select
    holder_id,
    period_end
from {{ ref('fct_change_decomposition') }}
where
    cast(change_usd_bn as decimal(18, 3))
    <> cast(net_purchases_usd_bn as decimal(18, 3))
    + cast(valuation_change_usd_bn as decimal(18, 3))
    + cast(other_change_usd_bn as decimal(18, 3))
    or cast(change_long_term_usd_bn as decimal(18, 3))
    <> cast(net_purchases_long_term_usd_bn as decimal(18, 3))
    + cast(valuation_change_long_term_usd_bn as decimal(18, 3))
    + cast(other_change_long_term_usd_bn as decimal(18, 3))
    or cast(change_short_term_usd_bn as decimal(18, 3))
    <> cast(net_purchases_short_term_usd_bn as decimal(18, 3))
    + cast(other_change_short_term_usd_bn as decimal(18, 3))
