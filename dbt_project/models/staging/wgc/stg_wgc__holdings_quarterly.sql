{{ stage_wgc('holdings_quarterly', units=['usd_mn', 'fraction']) }}
