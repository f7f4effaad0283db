{{ stage_tic('slt_table3', code='code', to_usd_bn='0.001') }}
