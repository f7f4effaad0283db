{{ config(post_hook="{{ create_as_of('fct_gold_holdings') }}") }}

select
    versions.holder_id,
    holders.holder_name,
    holders.kind,
    holders.aggregate_kind,
    versions.period_end,
    versions.tonnes,
    versions.fine_oz,
    versions.status,
    versions.is_month_exact,
    versions.released_on,
    versions.superseded_on,
    versions.version,
    versions.reissue,
    versions.dataset,
    versions.archive_sha256,
    versions.line
from {{ ref('int_gold_holdings__versions') }} as versions
inner join {{ ref('holders') }} as holders on versions.holder_id = holders.holder_id
-- A reader who asks for one holder reads the blocks of that holder, however many versions there are.
order by versions.holder_id, versions.period_end, versions.released_on, versions.version
