{#-
    Sums that must close, as each release stated them: a row a check, entity, period and release that said
    something new of one of its figures. What a release repeats, raw does not hold again, so the figures are
    those that stand on its day. A period of which one figure is missing is not compared.

    stated: a relation with entity, item, period_end, amount, correction, released_on, superseded_on (macro
        vintages) and block. A block is what a release states whole or not at all: where an extract leaves one
        out, its older figures are of another vintage and are not compared with the newer ones.
    sums: check_id -> name -> the left and the right side, each item -> its factor. Where a check has sums of
        several names, the name stands before the entity.
-#}
{% macro sums_as_stated(stated, sums) -%}
    with parts as (
        {%- for check_id, named in sums.items() %}
        {%- for name, sides in named.items() %}
        {%- set outer = loop %}
        {%- for side, items in sides.items() %}
        {%- for item, factor in items.items() %}
        select
            '{{ check_id }}' as check_id,
            '{{ name }}' as sum_name,
            '{{ side }}' as side,
            '{{ item }}' as item,
            {{ factor }} as factor,
            {{ sides.left | length + sides.right | length }} as items
        {%- if not loop.last %} union all{% endif %}
        {%- endfor %}
        {%- if not loop.last %} union all{% endif %}
        {%- endfor %}
        {%- if not loop.last %} union all{% endif %}
        {%- endfor %}
        {%- if not loop.last %} union all{% endif %}
        {%- endfor %}
    ),

    news as (
        select distinct
            parts.check_id,
            parts.sum_name,
            stated.entity,
            stated.period_end,
            stated.released_on
        from {{ stated }} as stated
        inner join parts on stated.item = parts.item
    ),

    blocks as (
        select distinct
            block,
            released_on
        from {{ stated }}
    )

    select
        news.check_id,
        case when news.sum_name = '' then news.entity
            when news.entity = '' then news.sum_name
            else news.sum_name || ', ' || news.entity
        end as entity,
        news.period_end,
        news.released_on,
        {{ exact_sum("case when parts.side = 'left' then parts.factor * stated.amount end") }} as left_value,
        {{ exact_sum("case when parts.side = 'right' then parts.factor * stated.amount end") }} as right_value,
        max(stated.correction) as correction
    from news
    inner join parts
        on news.check_id = parts.check_id and news.sum_name = parts.sum_name
    inner join {{ stated }} as stated
        on parts.item = stated.item
            and news.entity = stated.entity
            and news.period_end = stated.period_end
            and news.released_on >= stated.released_on
            and (stated.superseded_on is null or news.released_on < stated.superseded_on)
    inner join blocks
        on stated.block = blocks.block
            and news.released_on = blocks.released_on
    group by
        news.check_id,
        news.sum_name,
        news.entity,
        news.period_end,
        news.released_on
    having count(stated.amount) = max(parts.items)
{%- endmacro %}
