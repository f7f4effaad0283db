{{ config(post_hook="{{ create_as_of('fct_series') }}") }}

select
    versions.series,
    versions.entity,
    coalesce(holders.kind, 'aggregate') as entity_kind,
    versions.frequency,
    versions.period_end,
    versions.value,
    series.unit,
    versions.status,
    versions.released_on,
    versions.superseded_on,
    cast(
        row_number() over (
            partition by versions.series, versions.entity, versions.frequency, versions.period_end
            -- Of two issues of one day the first is superseded on it.
            order by
                versions.archived_on,
                versions.released_on,
                coalesce(versions.superseded_on, date '9999-12-31'),
                versions.dataset
        ) as integer
    ) as version,
    versions.archived_on,
    versions.dataset,
    versions.evidence,
    cast(versions.segment as integer) as segment,
    versions.archive_sha256,
    versions.line
from {{ ref('int_series__versions') }} as versions
inner join {{ ref('series') }} as series on versions.series = series.series
left join {{ ref('holders') }} as holders on versions.entity = holders.holder_id
-- A reader who asks for one series reads the blocks of that series, however many versions there are.
order by versions.series, versions.entity, versions.period_end, versions.released_on, version
