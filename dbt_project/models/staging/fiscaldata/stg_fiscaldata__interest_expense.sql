select
    'fiscaldata/interest_expense' as dataset,
    label,
    case label
        when 'INTEREST EXPENSE ON PUBLIC ISSUES' then 'public_issues'
        when 'INTEREST EXPENSE ON GOVT ACCOUNT SERIES' then 'government_account_series'
    end as category,
    period_end,
    measure,
    {{ usd_to_usd_bn('value') }} as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'fiscaldata__interest_expense') }}
