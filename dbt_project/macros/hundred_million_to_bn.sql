{#-
    A figure in units of 100 million as billions. By way of the figure's text, since dividing a float by ten is
    a digit out now and then; its thirteenth decimal is a ten-thousandth of the currency.
-#}
{% macro hundred_million_to_bn(value) -%}
    cast(cast(cast({{ value }} as varchar) as decimal(24, 12)) * 0.1 as double)
{%- endmacro %}
