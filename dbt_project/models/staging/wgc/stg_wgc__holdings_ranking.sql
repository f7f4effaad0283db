{{ stage_wgc('holdings_ranking', units=['fraction'], extra="observations.dated_by = 'row' as is_month_exact,") }}
