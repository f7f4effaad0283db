{#-
    The rows of a `*_vintages` model as they were known at the end of a day.

    relation: a model with `released_on` and `superseded_on`.
    as_of_date: an SQL expression of type date.
-#}
{% macro as_of(relation, as_of_date) -%}
    select * from {{ relation }}
    where released_on <= {{ as_of_date }}
        and (superseded_on is null or superseded_on > {{ as_of_date }})
{%- endmacro %}

{#-
    `fct_holdings_as_of('2025-12-20')` and its like: a mart as known on a day, as a table macro in the default
    schema. DuckDB only; it travels with the published file. Other engines filter the `*_vintages` model.

    mart: the mart whose `<mart>_vintages` calls this as its post_hook.
-#}
{% macro create_as_of(mart) -%}
    {% if target is defined and target.type == 'duckdb' %}
        create or replace macro main.{{ mart }}_as_of(as_of_date) as table
        {{ as_of('marts.' ~ mart ~ '_vintages', 'cast(as_of_date as date)') }}
            and status <> 'deleted'
    {% endif %}
{%- endmacro %}
