-- The three TIC tables against each other, holder by holder and month by month, as each release stated them.
-- All Other is left out: it means other countries in each table.

{%- set cell = ['label', 'code', 'series', 'period_end', 'measure'] %}

with stated as (
    select
        'table5' as source_table,
        vintages.*
    from ({{ vintages(ref('stg_tic__slt_table5'), cell) }}) as vintages

    union all
    select
        'table3' as source_table,
        vintages.*
    from ({{ vintages(ref('stg_tic__slt_table3'), cell) }}) as vintages
    where measure = 'holdings_total'

    union all
    select
        'history' as source_table,
        vintages.*
    from ({{ vintages(ref('stg_tic__mfhhis01'), cell) }}) as vintages
    where series <> 'old'
),

release_days as (
    select distinct
        source_table,
        released_on
    from stated
),

pairs as (
    select
        'tic_table5_table3' as check_id,
        'table5' as left_table,
        'table3' as right_table
    union all
    select
        'tic_table5_history' as check_id,
        'table5' as left_table,
        'history' as right_table
    union all
    select
        'tic_table3_history' as check_id,
        'history' as left_table,
        'table3' as right_table
),

common as (
    select
        pairs.check_id,
        pairs.left_table,
        pairs.right_table,
        left_days.released_on
    from pairs
    inner join release_days as left_days on pairs.left_table = left_days.source_table
    inner join release_days as right_days
        on
            pairs.right_table = right_days.source_table
            and left_days.released_on = right_days.released_on
)

select
    common.check_id,
    left_side.holder_id as entity,
    left_side.period_end,
    common.released_on,
    left_side.value_usd_bn as left_value,
    right_side.value_usd_bn as right_value,
    coalesce(left_side.correction, right_side.correction) as correction
from common
inner join stated as left_side
    on
        common.left_table = left_side.source_table
        and common.released_on >= left_side.released_on
        and (left_side.superseded_on is null or common.released_on < left_side.superseded_on)
inner join stated as right_side
    on
        common.right_table = right_side.source_table
        and common.released_on >= right_side.released_on
        and (right_side.superseded_on is null or common.released_on < right_side.superseded_on)
        and left_side.holder_id = right_side.holder_id
        and left_side.period_end = right_side.period_end
where
    left_side.holder_id <> 'ALL_OTHER'
    and left_side.value_usd_bn is not null
    and right_side.value_usd_bn is not null
