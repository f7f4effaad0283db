{#-
    Columns of a change against an earlier month: the amount, and why there is none.

    base: alias of the joined earlier month (of the relation `now` belongs to).
    suffix: the columns become change_<suffix>_usd_bn and change_<suffix>_missing_because.
-#}
{% macro change_since(base, suffix) -%}
    case
        when current_month.holder_id <> 'ALL_OTHER' and {{ base }}.segment = current_month.segment
            then round(current_month.holdings_usd_bn - {{ base }}.holdings_usd_bn, 3)
    end as change_{{ suffix }}_usd_bn,
    case
        when current_month.holder_id = 'ALL_OTHER' then 'All Other names different countries over time'
        when {{ base }}.holder_id is null then 'no figure for the earlier month'
        when {{ base }}.segment <> current_month.segment then 'series break in between'
    end as change_{{ suffix }}_missing_because
{%- endmacro %}
