{{ stage_tic('cited_first_prints') }}
