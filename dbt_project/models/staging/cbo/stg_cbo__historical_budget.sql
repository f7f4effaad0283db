with observations as (
    select
        *,
        case
            when label in (
                '1. Rev, Outlays, Surplus, Debt/Revenues',
                '1a. Rev, Outlays, Surplus (GDP)/Revenues'
            ) then 'revenues_total'
            when label in (
                '1. Rev, Outlays, Surplus, Debt/Outlays',
                '1a. Rev, Outlays, Surplus (GDP)/Outlays'
            ) then 'outlays_total'
            when label in (
                '1. Rev, Outlays, Surplus, Debt/Deficit (-) or surplus/On-budget',
                '1a. Rev, Outlays, Surplus (GDP)/Deficit (-) or surplus/On-budget'
            ) then 'deficit_on_budget'
            when label in (
                '1. Rev, Outlays, Surplus, Debt/Deficit (-) or surplus/Social Security',
                '1a. Rev, Outlays, Surplus (GDP)/Deficit (-) or surplus/Social Security'
            ) then 'deficit_social_security'
            when label in (
                '1. Rev, Outlays, Surplus, Debt/Deficit (-) or surplus/Postal Service',
                '1a. Rev, Outlays, Surplus (GDP)/Deficit (-) or surplus/Postal Service'
            ) then 'deficit_postal_service'
            when label in (
                '1. Rev, Outlays, Surplus, Debt/Deficit (-) or surplus/Total',
                '1a. Rev, Outlays, Surplus (GDP)/Deficit (-) or surplus/Total'
            ) then 'deficit_total'
            when label in (
                '1. Rev, Outlays, Surplus, Debt/Debt held by the public',
                '1a. Rev, Outlays, Surplus (GDP)/Debt held by the public'
            ) then 'debt_held_by_public'
            when label in (
                '2. Revenues/Individual income taxes',
                '2a. Revenues as Share of GDP/Individual income taxes'
            ) then 'individual_income_taxes'
            when label in (
                '2. Revenues/Payroll taxes',
                '2a. Revenues as Share of GDP/Payroll taxes'
            ) then 'payroll_taxes'
            when label in (
                '2. Revenues/Corporate income taxes',
                '2a. Revenues as Share of GDP/Corporate income taxes'
            ) then 'corporate_income_taxes'
            when label in (
                '2. Revenues/Excise taxes',
                '2a. Revenues as Share of GDP/Excise taxes'
            ) then 'excise_taxes'
            when label in (
                '2. Revenues/Estate and gift taxes',
                '2a. Revenues as Share of GDP/Estate and gift taxes'
            ) then 'estate_and_gift_taxes'
            when label in (
                '2. Revenues/Customs duties',
                '2a. Revenues as Share of GDP/Customs duties'
            ) then 'customs_duties'
            when label in (
                '2. Revenues/Miscellaneous receipts',
                '2a. Revenues as Share of GDP/Miscellaneous receipts'
            ) then 'miscellaneous_receipts'
            when label in (
                '2. Revenues/Total',
                '2a. Revenues as Share of GDP/Total'
            ) then 'revenues_total'
            when label in (
                '3. Outlays/Discretionary',
                '3a. Outlays as Share of GDP/Discretionary'
            ) then 'discretionary_total'
            when label in (
                '3. Outlays/Mandatory/Programmatic outlays',
                '3a. Outlays as Share of GDP/Mandatory/Programmatic outlays'
            ) then 'mandatory_programmatic'
            when label in (
                '3. Outlays/Mandatory/Offsetting receipts',
                '3a. Outlays as Share of GDP/Mandatory/Offsetting receipts'
            ) then 'offsetting_receipts'
            when label in (
                '3. Outlays/Net interest',
                '3a. Outlays as Share of GDP/Net interest'
            ) then 'net_interest'
            when label in (
                '3. Outlays/Total',
                '3a. Outlays as Share of GDP/Total'
            ) then 'outlays_total'
            when label in (
                '4. Discretionary Outlays/Defense',
                '4a. Discretionary Outlays (GDP)/Defense'
            ) then 'defense_discretionary'
            when label in (
                '4. Discretionary Outlays/Nondefense',
                '4a. Discretionary Outlays (GDP)/Nondefense'
            ) then 'nondefense_discretionary'
            when label in (
                '4. Discretionary Outlays/Total',
                '4a. Discretionary Outlays (GDP)/Total'
            ) then 'discretionary_total'
            when label in (
                '5. Mandatory Outlays/Social Security',
                '5a. Mandatory Outlays (GDP)/Social Security'
            ) then 'social_security'
            when label in (
                '5. Mandatory Outlays/Medicare',
                '5a. Mandatory Outlays (GDP)/Medicare'
            ) then 'medicare_gross'
            when label in (
                '5. Mandatory Outlays/Medicaid',
                '5a. Mandatory Outlays (GDP)/Medicaid'
            ) then 'medicaid'
            when label in (
                '5. Mandatory Outlays/Income security',
                '5a. Mandatory Outlays (GDP)/Income security'
            ) then 'income_security'
            when label in (
                '5. Mandatory Outlays/Federal civilian and military retirement',
                '5a. Mandatory Outlays (GDP)/Federal civilian and military retirement'
            ) then 'federal_retirement'
            when label in (
                '5. Mandatory Outlays/Veterans’ programs',
                '5a. Mandatory Outlays (GDP)/Veterans’ programs'
            ) then 'veterans_programs'
            when label in (
                '5. Mandatory Outlays/Other programs',
                '5a. Mandatory Outlays (GDP)/Other programs'
            ) then 'mandatory_other_programs'
            when label in (
                '5. Mandatory Outlays/Offsetting receipts',
                '5a. Mandatory Outlays (GDP)/Offsetting receipts'
            ) then 'offsetting_receipts'
            when label in (
                '5. Mandatory Outlays/Total',
                '5a. Mandatory Outlays (GDP)/Total'
            ) then 'mandatory_total'
            when label in (
                '5. Mandatory Outlays/Major health care programs (net)',
                '5a. Mandatory Outlays (GDP)/Major health care programs (net)'
            ) then 'major_health_programs_net'
        end as component,
        -- A figure that stands in an earlier table of the workbook too.
        label in (
            '2. Revenues/Total',
            '3. Outlays/Total',
            '4. Discretionary Outlays/Total',
            '5. Mandatory Outlays/Offsetting receipts',
            '2a. Revenues as Share of GDP/Total',
            '3a. Outlays as Share of GDP/Total',
            '4a. Discretionary Outlays (GDP)/Total',
            '5a. Mandatory Outlays (GDP)/Offsetting receipts'
        ) as is_repetition
    from {{ source('raw', 'cbo__historical_budget') }}
)

select
    'cbo/historical_budget' as dataset,
    label,
    component,
    is_repetition,
    cast(extract(year from period_end) as integer) as fiscal_year,
    period_end,
    measure,
    case when measure = 'amount' then value end as value_usd_bn,
    case when measure = 'share_of_gdp' then value end as value_pct_gdp,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from observations
