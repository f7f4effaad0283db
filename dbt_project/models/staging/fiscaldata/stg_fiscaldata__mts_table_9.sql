select
    'fiscaldata/mts_table_9' as dataset,
    label,
    line_code,
    case line_code
        when '20' then 'individual_income_taxes'
        when '30' then 'corporation_income_taxes'
        when '50' then 'employment_and_general_retirement'
        when '60' then 'unemployment_insurance'
        when '70' then 'other_retirement'
        when '80' then 'excise_taxes'
        when '90' then 'estate_and_gift_taxes'
        when '100' then 'customs_duties'
        when '110' then 'miscellaneous_receipts'
        when '120' then 'total_receipts'
        when '140' then 'national_defense'
        when '150' then 'international_affairs'
        when '160' then 'general_science_space_and_technology'
        when '170' then 'energy'
        when '180' then 'natural_resources_and_environment'
        when '190' then 'agriculture'
        when '200' then 'commerce_and_housing_credit'
        when '210' then 'transportation'
        when '220' then 'community_and_regional_development'
        when '230' then 'education_training_employment_and_social_services'
        when '240' then 'health'
        when '250' then 'medicare'
        when '260' then 'income_security'
        when '270' then 'social_security'
        when '280' then 'veterans_benefits_and_services'
        when '290' then 'administration_of_justice'
        when '300' then 'general_government'
        when '320' then 'net_interest'
        when '330' then 'undistributed_offsetting_receipts'
        when '340' then 'total_outlays'
    end as component,
    case when cast(line_code as integer) <= 120 then 'receipts' else 'outlays' end as side,
    period_end,
    measure,
    {{ usd_to_usd_bn('value') }} as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'fiscaldata__mts_table_9') }}
