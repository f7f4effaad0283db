{#- The sum of amounts in USD bn over the months of a run so far, exact; NULL outside a run. -#}
{% macro running_sum(amount) -%}
    case
        when runs.run is not null
            then cast(
                sum(cast({{ amount }} as decimal(18, 3))) over (
                    partition by runs.holder_id, runs.run order by runs.month_number
                ) as double precision
            )
    end
{%- endmacro %}
