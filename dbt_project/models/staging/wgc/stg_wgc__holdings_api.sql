{{ stage_wgc('holdings_api', units=['usd_mn', 'pct']) }}
