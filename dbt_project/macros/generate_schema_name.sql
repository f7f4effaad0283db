{#- Schemas are named as they stand (`marts`), without the target's name before them: consumers rely on it. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
