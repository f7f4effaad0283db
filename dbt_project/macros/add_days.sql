{#- A date some days later; `days` is a column or number of type integer. -#}
{% macro add_days(day, days) -%}
    {% if target is defined and target.type == 'spark' %}date_add({{ day }}, {{ days }}){% else %}({{ day }} + {{ days }}){% endif %}
{%- endmacro %}
