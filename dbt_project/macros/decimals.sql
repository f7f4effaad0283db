{#- To how many decimals a figure was printed; a whole number has none. -#}
{% macro decimals(value) -%}
    case
        when {{ value }} = floor({{ value }}) then 0
        else length(cast({{ value }} as varchar(64))) - position('.' in cast({{ value }} as varchar(64)))
    end
{%- endmacro %}

{#-
    Whether two prints are one figure, of which one copy was rounded or has a float's noise: equal to the coarser
    one's decimals, where the finer has three more. With fewer, another last digit is another figure.
-#}
{% macro is_same_rounded(one, other) -%}
    (
        abs({{ decimals(one) }} - {{ decimals(other) }}) >= 3
        and abs({{ one }} - {{ other }})
        <= 0.5000001 * power(10, -case
            when {{ decimals(one) }} < {{ decimals(other) }} then {{ decimals(one) }} else {{ decimals(other) }}
        end)
    )
{%- endmacro %}
