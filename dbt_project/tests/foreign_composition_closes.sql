-- Bills and bonds sum to the total. Tolerance: Table 3 prints millions, the other tables 0.1 bn, and three
-- figures rounded by themselves can be one and a half units apart; floats add a trifle.
select
    holder_id,
    period_end,
    dataset,
    total_usd_bn - long_term_usd_bn - short_term_usd_bn as gap_usd_bn
from {{ ref('fct_foreign_composition') }}
where
    abs(total_usd_bn - long_term_usd_bn - short_term_usd_bn)
    > case when dataset = 'tic/slt_table3' then 0.0015001 else 0.1501 end
