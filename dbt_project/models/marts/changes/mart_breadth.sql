-- How many country holders rose and fell in each month, by how much together, and who.

with major as (
    select distinct
        holder_id,
        period_end
    from {{ ref('stg_tic__mfhhis01') }}
    where series <> 'old'

    union
    select distinct
        holder_id,
        period_end
    from {{ ref('stg_tic__slt_table5') }}

    union
    select distinct
        holder_id,
        period_end
    from {{ ref('stg_tic__mfh') }}
),

changes as (
    select
        changes.holder_name,
        changes.period_end,
        changes.change_1m_usd_bn,
        major.holder_id is not null as is_major
    from {{ ref('fct_holding_changes') }} as changes
    left join major
        on changes.holder_id = major.holder_id and changes.period_end = major.period_end
    where changes.kind = 'country' and changes.change_1m_usd_bn is not null
),

scoped as (
    select
        'all' as scope,
        holder_name,
        period_end,
        change_1m_usd_bn
    from changes

    union all
    select
        'major' as scope,
        holder_name,
        period_end,
        change_1m_usd_bn
    from changes
    where is_major
),

placed as (
    select
        scoped.*,
        row_number() over (
            partition by scope, period_end order by change_1m_usd_bn desc, holder_name asc
        ) as place_among_risers,
        row_number() over (
            partition by scope, period_end order by change_1m_usd_bn asc, holder_name asc
        ) as place_among_fallers
    from scoped
)

select
    scope,
    period_end,
    cast(count(*) as integer) as holders,
    cast(sum(case when change_1m_usd_bn > 0 then 1 else 0 end) as integer) as rose,
    cast(sum(case when change_1m_usd_bn < 0 then 1 else 0 end) as integer) as fell,
    cast(sum(case when change_1m_usd_bn = 0 then 1 else 0 end) as integer) as unchanged,
    {{ exact_sum('case when change_1m_usd_bn > 0 then change_1m_usd_bn else 0 end') }} as rises_usd_bn,
    {{ exact_sum('case when change_1m_usd_bn < 0 then change_1m_usd_bn else 0 end') }} as falls_usd_bn,
    max(case when place_among_risers = 1 and change_1m_usd_bn > 0 then holder_name end) as largest_riser,
    max(case when place_among_risers = 1 and change_1m_usd_bn > 0 then change_1m_usd_bn end)
        as largest_rise_usd_bn,
    max(case when place_among_fallers = 1 and change_1m_usd_bn < 0 then holder_name end) as largest_faller,
    max(case when place_among_fallers = 1 and change_1m_usd_bn < 0 then change_1m_usd_bn end)
        as largest_fall_usd_bn,
    {{ listed_text(
        "case when place_among_risers <= 10 and change_1m_usd_bn > 0 then holder_name || ' +' || cast(cast(change_1m_usd_bn as decimal(18, 1)) as varchar(24)) end",
        'place_among_risers',
    ) }} as risers,
    {{ listed_text(
        "case when place_among_fallers <= 10 and change_1m_usd_bn < 0 then holder_name || ' ' || cast(cast(change_1m_usd_bn as decimal(18, 1)) as varchar(24)) end",
        'place_among_fallers',
    ) }} as fallers
from placed
group by scope, period_end
