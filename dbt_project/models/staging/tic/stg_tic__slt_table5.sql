{{ stage_tic('slt_table5') }}
