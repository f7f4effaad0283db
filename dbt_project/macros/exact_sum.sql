{#-
    The sum of figures in billions, the same in whatever order the rows come: floats that are added in another
    order differ in their last digits, and one warehouse would not equal another of the same releases.
-#}
{% macro exact_sum(amount) -%}
    cast(sum(cast({{ amount }} as decimal(28, 12))) as double precision)
{%- endmacro %}
