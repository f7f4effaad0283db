{#-
    A raw TIC table in the warehouse's terms: canonical holder, USD bn, one column for the series.

    dataset: the table without its source, e.g. `slt_table5`.
    series: SQL for the series of a month that is published twice, '' where the table has none.
    code: SQL for the publisher's country code, null where the table has none.
    to_usd_bn: what a published figure is multiplied by to stand in USD bn.

    A label that no alias covers stays, with holder_id NULL, and fails the build by name.
-#}
{% macro stage_tic(dataset, series="''", code="cast(null as varchar)", to_usd_bn="1") -%}
    {%- set key = ['label'] -%}
    {%- if code == 'code' %}{% do key.append('code') %}{% endif -%}
    {%- if series == 'series' %}{% do key.append('series') %}{% endif %}
    with observations as (
        select
            label,
            {{ code }} as code,
            {{ series }} as series,
            period_end,
            measure,
            {{ "value" if to_usd_bn == "1" else "round(value * " ~ to_usd_bn ~ ", 3)" }} as value_usd_bn,
            status,
            released_on,
            reissue,
            archive_sha256,
            line,
            correction
        from {{ corrected('tic/' ~ dataset, key) }} as published
    ),

    aliases as (
        select * from {{ ref('holder_aliases') }}
        where source = 'tic' and dataset = '{{ dataset }}'
    )

    select
        'tic/{{ dataset }}' as dataset,
        aliases.holder_id,
        observations.label,
        observations.code,
        observations.series,
        observations.period_end,
        observations.measure,
        observations.value_usd_bn,
        observations.status,
        observations.released_on,
        observations.reissue,
        observations.archive_sha256,
        observations.line,
        observations.correction
    from observations
    left join aliases
        on observations.label = aliases.label
            and coalesce(observations.code, '') = coalesce(aliases.code, '')
            and observations.series = coalesce(aliases.series, observations.series)
            and observations.period_end >= coalesce(aliases.period_from, observations.period_end)
            and observations.period_end <= coalesce(aliases.period_to, observations.period_end)
{%- endmacro %}
