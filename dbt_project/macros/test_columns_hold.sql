{#-
    Fails with what columns of a model hold that they must not: one test for what would be a `not_null` and an
    `accepted_values` a column, each of which costs dbt far longer than the database.

    never_null: the columns that always have a value.
    one_of: column -> the values it may have. NULL passes, as it does in `accepted_values`.

    The rows say which column, what it holds, and in how many rows.
-#}
{% test columns_hold(model, never_null=[], one_of={}) %}
    with observed as (
        select * from {{ model }}
    )

    {% for column in never_null -%}
        select '{{ column }}' as column_name, cast(null as varchar) as found, count(*) as occurrences
        from observed
        where {{ column }} is null
        having count(*) > 0
        {% if not loop.last or one_of %}union all{% endif %}
    {% endfor %}
    {%- for column, allowed in one_of.items() %}
        select '{{ column }}' as column_name, cast({{ column }} as varchar) as found, count(*) as occurrences
        from observed
        where {{ column }} not in (
            {%- for value in allowed %}'{{ value | replace("'", "''") }}'{% if not loop.last %}, {% endif %}{% endfor -%}
        )
        group by {{ column }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
{% endtest %}
