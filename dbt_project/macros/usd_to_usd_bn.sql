{#-
    USD to the cent as USD billion, of which the eleventh decimal is the cent. By way of the figure's text, since
    dividing or casting floats of this size is a cent out now and then.
-#}
{% macro usd_to_usd_bn(usd) -%}
    cast(cast(cast({{ usd }} as varchar) as decimal(18, 2)) * 0.000000001 as double)
{%- endmacro %}
