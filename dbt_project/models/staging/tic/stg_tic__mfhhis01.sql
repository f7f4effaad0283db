{{ stage_tic('mfhhis01', series='series') }}
