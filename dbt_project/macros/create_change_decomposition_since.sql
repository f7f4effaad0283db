{#-
    `change_decomposition_since('2022-12-31')`: each holder's change from the end of that month to the newest one,
    and what it was made of, as a table macro in the default schema. DuckDB only; it travels with the published
    file. Where the month lies before the decomposition begins, the change up to there stands apart, undecomposed.
-#}
{% macro create_change_decomposition_since() -%}
    {% if target is defined and target.type == 'duckdb' %}
        create or replace macro main.change_decomposition_since(since) as table
        with newest as (
            select
                decomposition.*,
                greatest(last_day(cast(since as date)), last_day(run_begins - interval 1 month)) as decomposed_from
            from marts.fct_change_decomposition as decomposition
            where run_begins is not null
            qualify row_number() over (partition by holder_id order by period_end desc) = 1
        )

        select
            newest.holder_id,
            newest.holder_name,
            newest.kind,
            last_day(cast(since as date)) as since,
            newest.decomposed_from,
            newest.period_end as until,
            case
                when newest.decomposed_from > last_day(cast(since as date))
                    then round(before.holdings_usd_bn - asked.value, 3)
                else 0
            end as not_decomposed_usd_bn,
            round(newest.holdings_usd_bn - before.holdings_usd_bn, 3) as change_usd_bn,
            {%- for part in ['net_purchases', 'valuation_change', 'other_change'] %}
            round(
                newest.cumulative_{{ part }}_usd_bn
                - case
                    when newest.decomposed_from < newest.run_begins then 0
                    else before.cumulative_{{ part }}_usd_bn
                end,
                3
            ) as {{ part }}_usd_bn{% if not loop.last %},{% endif %}
            {%- endfor %}
        from newest
        inner join marts.fct_change_decomposition as before
            on newest.holder_id = before.holder_id and newest.decomposed_from = before.period_end
        left join marts.fct_series as stood
            on
                stood.series = 'treasury_holdings'
                and stood.entity = case newest.holder_id when 'GRAND_TOTAL' then 'WLD' else newest.holder_id end
                and stood.period_end = newest.decomposed_from
        left join marts.fct_series as asked
            on
                asked.series = 'treasury_holdings' and asked.entity = stood.entity
                and asked.period_end = last_day(cast(since as date))
                and asked.segment = stood.segment
    {% endif %}
{%- endmacro %}
