with observed as (
    select
        holder_id,
        min(period_end) as first_period_end,
        max(period_end) as last_period_end
    from {{ ref('int_holdings__versions') }}
    where status = 'published'
    group by holder_id
)

select
    holders.holder_id,
    holders.holder_name,
    holders.holder_name_zh,
    holders.kind,
    holders.iso_alpha2,
    holders.iso_numeric,
    holders.region,
    holders.custody_centre as is_custody_centre,
    observed.first_period_end,
    observed.last_period_end,
    holders.note
from {{ ref('holders') }} as holders
left join observed on holders.holder_id = observed.holder_id
