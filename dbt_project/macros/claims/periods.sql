{#- How a text of digits is checked: engines name their regular expressions differently. -#}
{% macro matches(text, pattern) -%}
    {% if target is defined and target.type == 'postgres' %}({{ text }} ~ '{{ pattern }}')
    {% elif target is defined and target.type == 'spark' %}({{ text }} rlike '{{ pattern }}')
    {% else %}regexp_matches({{ text }}, '{{ pattern }}')
    {% endif %}
{%- endmacro %}

{#- A text as a date, NULL where it is none (2025-02-30); only DuckDB and Spark can try. -#}
{% macro date_or_null(text) -%}
    {% if target is defined and target.type == 'postgres' %}cast({{ text }} as date){% else %}try_cast({{ text }} as date){% endif %}
{%- endmacro %}

{#- A text as a number, NULL where it is none; no thousands separators, no exponents. -#}
{% macro number_or_null(text) -%}
    case when {{ matches(text, '^[+-]?[0-9]+([.][0-9]+)?$') }} then cast({{ text }} as double precision) end
{%- endmacro %}

{#- What kind of period a text names: day, month, quarter, year or fiscal_year; NULL where it names none. -#}
{% macro period_form(text) -%}
    case
        when {{ matches(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') }} then 'day'
        when {{ matches(text, '^[0-9]{4}-(0[1-9]|1[0-2])$') }} then 'month'
        when {{ matches(text, '^[0-9]{4}Q[1-4]$') }} then 'quarter'
        when {{ matches(text, '^[0-9]{4}$') }} then 'year'
        when {{ matches(text, '^FY[0-9]{4}$') }} then 'fiscal_year'
    end
{%- endmacro %}

{#- The last day of the month that a date lies in. -#}
{% macro last_day_of_month(day) -%}
    {% if target is defined and target.type == 'postgres' %}cast(date_trunc('month', {{ day }}) + interval '1 month' - interval '1 day' as date)
    {% else %}last_day({{ day }})
    {% endif %}
{%- endmacro %}

{#- The last day of the period that a text names. Fiscal years ended in June until 1976. -#}
{% macro period_last_day(text) -%}
    case {{ period_form(text) }}
        when 'day' then {{ date_or_null(text) }}
        when 'month' then {{ last_day_of_month(date_or_null(text ~ " || '-01'")) }}
        when 'quarter' then {{ last_day_of_month(date_or_null(
            "substring(" ~ text ~ ", 1, 4) || case substring(" ~ text ~ ", 6, 1) "
            ~ "when '1' then '-03-01' when '2' then '-06-01' when '3' then '-09-01' else '-12-01' end"
        )) }}
        when 'year' then {{ date_or_null(text ~ " || '-12-31'") }}
        when 'fiscal_year' then {{ date_or_null(
            "substring(" ~ text ~ ", 3, 4) || case when substring(" ~ text ~ ", 3, 4) < '1977' then '-06-30' else '-09-30' end"
        ) }}
    end
{%- endmacro %}
