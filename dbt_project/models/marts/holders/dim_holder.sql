select
    holder_id,
    holder_name,
    holder_name_zh,
    kind,
    aggregate_kind,
    iso_alpha2,
    iso_numeric,
    region,
    custody_centre as is_custody_centre,
    note
from {{ ref('holders') }}
