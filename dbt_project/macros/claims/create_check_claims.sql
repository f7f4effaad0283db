{#-
    `check_claims('my_claims')`: the verdicts on any table with the columns of claims.csv as text and a number
    `claim_row`, as a table macro in the default schema. DuckDB only; it travels with the published file.
-#}
{% macro create_check_claims() -%}
    {% if target is defined and target.type == 'duckdb' %}
        create or replace macro main.check_claims(claims_table) as table
        {{ check_claims(
            'select * from query_table(claims_table)',
            'marts.fct_series_vintages',
            'raw.releases',
            'raw.datasets',
            'seeds.series',
            'seeds.claim_units',
            'seeds.holders',
        ) }}
    {% endif %}
{%- endmacro %}
