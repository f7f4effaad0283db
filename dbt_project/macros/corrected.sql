{#-
    A raw table with what seeds/corrections.csv says of its cells: `value` and `status` as corrected, and
    `correction`, the id of the correction, NULL for almost all. What was published stays in the raw table.

    dataset: its name, e.g. `fiscaldata/debt_to_penny`.
    key: its key columns in the passport's order.
-#}
{% macro corrected(dataset, key=['label']) -%}
    (
        select
            {% for column in key -%}
            raw_rows.{{ column }},
            {% endfor -%}
            raw_rows.period_end,
            raw_rows.measure,
            case corrections.action
                when 'drop' then null
                when 'rescale' then raw_rows.value * corrections.factor
                else raw_rows.value
            end as value,
            case corrections.action when 'drop' then 'dropped' else raw_rows.status end as status,
            raw_rows.unit,
            raw_rows.released_on,
            raw_rows.reissue,
            raw_rows.archive_sha256,
            raw_rows.line,
            corrections.correction_id as correction
        from {{ source('raw', dataset | replace('/', '__')) }} as raw_rows
        left join {{ ref('corrections') }} as corrections
            on corrections.dataset = '{{ dataset }}'
                and corrections.cell = {% for column in key -%}
                raw_rows.{{ column }}{% if not loop.last %} || ' | ' || {% endif %}
                {%- endfor %}
                and corrections.period_end = raw_rows.period_end
                and corrections.measure = raw_rows.measure
                and abs(corrections.expect - raw_rows.value) < 0.5 * power(10, -corrections.decimals)
                and raw_rows.released_on >= coalesce(corrections.released_from, raw_rows.released_on)
                and raw_rows.released_on <= coalesce(corrections.released_to, raw_rows.released_on)
    )
{%- endmacro %}
