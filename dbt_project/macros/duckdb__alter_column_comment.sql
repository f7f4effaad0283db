{#-
    Comments on columns as dbt-duckdb writes them, but without asking the catalog first which columns there are: a
    query a model. A column that is described and is not there fails the build by name.
-#}
{% macro duckdb__alter_column_comment(relation, column_dict) %}
  {% for name, column in column_dict.items() %}
    comment on column {{ relation }}.{{ name }} is {{ duckdb_escape_comment(column['description']) }};
  {% endfor %}
{% endmacro %}
