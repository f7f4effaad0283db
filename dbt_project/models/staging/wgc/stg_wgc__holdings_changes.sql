{{ stage_wgc('holdings_changes') }}
