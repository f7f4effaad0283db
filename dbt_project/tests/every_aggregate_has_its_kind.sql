-- A country has no kind of aggregate, and no aggregate lacks one; a country's codes are its own (Namibia's is NA).
select
    holder_id,
    kind,
    aggregate_kind
from {{ ref('holders') }}
where
    (kind = 'aggregate' and aggregate_kind is null)
    or (kind = 'country' and aggregate_kind is not null)
    or (kind = 'country' and iso_alpha2 is null and holder_id <> 'XKX')
