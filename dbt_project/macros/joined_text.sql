{#- Texts of a group as one, each once and in their own order. (The linter knows no target.) -#}
{% macro joined_text(text, separator=', ') -%}
    {%- if target is defined and target.type == 'spark' -%}
        array_join(array_sort(collect_set({{ text }})), '{{ separator }}')
    {%- else -%}
        string_agg(distinct {{ text }}, '{{ separator }}' order by {{ text }})
    {%- endif -%}
{%- endmacro %}

{#- Texts of a group as one, by a number that tells their places. -#}
{% macro listed_text(text, place) -%}
    {%- if target is defined and target.type == 'spark' -%}
        array_join(transform(array_sort(collect_list(struct({{ place }}, {{ text }}))), pair -> pair.col2), ', ')
    {%- else -%}
        string_agg({{ text }}, ', ' order by {{ place }})
    {%- endif -%}
{%- endmacro %}
