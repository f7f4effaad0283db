{#-
    A raw WGC table of holders in the warehouse's terms: canonical holder, a column a unit.

    dataset: the table without its source, e.g. `holdings_api`.
    units: the units it has besides tonnes: usd_mn, and pct or fraction; a fraction becomes percent.
    extra: further columns of `observations`, as SQL with a comma at the end.

    A figure stands in the column of its unit, and the others are NULL. A label that no alias covers stays, with
    holder_id NULL, and fails the build by name.
-#}
{% macro stage_wgc(dataset, units=[], extra='') -%}
    with observations as (
        select * from {{ source('raw', 'wgc__' ~ dataset) }}
    ),

    aliases as (
        select * from {{ ref('holder_aliases') }}
        where source = 'wgc' and dataset = '{{ dataset }}'
    )

    select
        'wgc/{{ dataset }}' as dataset,
        aliases.holder_id,
        observations.label,
        {{ extra }}
        observations.period_end,
        observations.measure,
        case when observations.unit = 'tonnes' then observations.value end as value_tonnes,
        {%- if 'usd_mn' in units %}
        case when observations.unit = 'usd_mn' then observations.value end as value_usd_mn,
        {%- endif %}
        {%- if 'pct' in units %}
        case when observations.unit = 'pct' then observations.value end as value_pct,
        {%- elif 'fraction' in units %}
        case when observations.unit = 'fraction' then observations.value * 100 end as value_pct,
        {%- endif %}
        observations.status,
        observations.released_on,
        observations.reissue,
        observations.archive_sha256,
        observations.line
    from observations
    left join aliases on observations.label = aliases.label
{%- endmacro %}
