{{ stage_tic('mfh') }}
