select
    'fiscaldata/debt_to_penny' as dataset,
    label,
    case label
        when 'tot_pub_debt_out_amt' then 'total'
        when 'debt_held_public_amt' then 'held_by_public'
        when 'intragov_hold_amt' then 'intragovernmental'
    end as component,
    period_end,
    measure,
    {{ usd_to_usd_bn('value') }} as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line,
    correction
from {{ corrected('fiscaldata/debt_to_penny') }} as published
