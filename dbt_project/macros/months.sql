{#- Months counted from year 0, so that "12 months before" is an equality any engine can join on. -#}
{% macro month_number(column) -%}
    (cast(extract(year from {{ column }}) as integer) * 12 + cast(extract(month from {{ column }}) as integer))
{%- endmacro %}
