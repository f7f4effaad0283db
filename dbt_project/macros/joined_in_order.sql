{#- Texts of a group in one, sorted and with a space between them. (The linter knows no target.) -#}
{% macro joined_in_order(text) -%}
    {%- if target is defined and target.type == 'spark' -%}
        array_join(array_sort(collect_list({{ text }})), ' ')
    {%- else -%}
        string_agg({{ text }}, ' ' order by {{ text }})
    {%- endif -%}
{%- endmacro %}
