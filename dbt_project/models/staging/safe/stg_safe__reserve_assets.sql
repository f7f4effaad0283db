select
    'safe/reserve_assets' as dataset,
    label,
    case label
        when '1. 外汇储备 Foreign currency reserves' then 'fx_reserves'
        when '2. 基金组织储备头寸 IMF reserve position' then 'imf_reserve_position'
        when '3. 特别提款权 SDRs' then 'sdr_holdings'
        when '4. 黄金 Gold' then 'gold'
        when '5. 其他储备资产 Other reserve assets' then 'other_reserve_assets'
        when '合计 Total' then 'total_official_reserve_assets'
    end as item,
    period_end,
    measure,
    case when measure = 'value_usd' then {{ hundred_million_to_bn('value') }} end as value_usd_bn,
    case when measure = 'value_sdr' then {{ hundred_million_to_bn('value') }} end as value_sdr_bn,
    case when measure = 'volume' then value * 10000 end as value_fine_oz,
    case when measure = 'volume' then value * 10000 / 32150.7466 end as value_tonnes,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'safe__reserve_assets') }}
