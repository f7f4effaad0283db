-- Table 3 (USD million) and Table 5 (0.1 bn) of one release agree after rounding: 0.05, inclusive, since the
-- publisher rounds from finer figures than it prints (Canada 2025-12: 468.150 and 468.2).
select
    table5.holder_id,
    table5.period_end,
    table5.released_on,
    table5.value_usd_bn as table5_usd_bn,
    table3.value_usd_bn as table3_usd_bn
from {{ ref('stg_tic__slt_table5') }} as table5
inner join {{ ref('stg_tic__slt_table3') }} as table3
    on
        table5.holder_id = table3.holder_id
        and table5.period_end = table3.period_end
        and table5.released_on = table3.released_on
        and table3.measure = 'holdings_total'
where abs(table5.value_usd_bn - table3.value_usd_bn) > 0.0501
