select
    'safe/investment_position' as dataset,
    label,
    case label
        when 'iip_assets' then 'assets'
        when 'iip_liabilities' then 'liabilities'
        when 'iip_net' then 'net'
    end as item,
    period_end,
    measure,
    {{ hundred_million_to_bn('value') }} as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'safe__investment_position') }}
