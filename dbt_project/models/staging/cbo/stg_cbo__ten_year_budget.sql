select
    'cbo/ten_year_budget' as dataset,
    label,
    case label
        when 'proj_rev_total' then 'revenues_total'
        when 'proj_outlays_total' then 'outlays_total'
        when 'proj_outlays_mandatory' then 'mandatory_total'
        when 'proj_outlays_discretionary' then 'discretionary_total'
        when 'proj_outlays_net_interest' then 'net_interest'
        when 'proj_deficit_total' then 'deficit_total'
        when 'proj_debt_held_by_public_end' then 'debt_held_by_public'
        when 'proj_disc_defense' then 'defense_discretionary'
        when 'proj_disc_nondefense' then 'nondefense_discretionary'
        when 'proj_disc_defense_outlays_timing_adj' then 'defense_discretionary_timing_adjusted'
        when 'proj_disc_nondefense_outlays_timing_adj' then 'nondefense_discretionary_timing_adjusted'
    end as component,
    cast(extract(year from period_end) as integer) as fiscal_year,
    -- The file does not tell, but its first year is over.
    period_end < released_on as is_actual,
    period_end,
    measure,
    value as value_usd_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line
from {{ source('raw', 'cbo__ten_year_budget') }}
