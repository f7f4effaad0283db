-- Every holder's gold at the end of every quarter, the newest figure at or before it: the last quarters are
-- never told by all, and a sum over those who have reported falls by a third. What is carried is marked.
--
-- A figure is carried for four quarters at most. Some report late: of the 108 holders quoted in August 2026
-- all had told the newest quarter or one of the four before it, but for Bolivia (five before) and Venezuela
-- (thirty-one). Whoever is silent for longer is unknown, and leaves.

{%- set carried_months = 12 %}

with figures as (
    select
        holdings.*,
        {{ month_number('period_end') }} as month_number
    from {{ ref('fct_gold_holdings') }} as holdings
    where status = 'published'
),

-- The quarters that the Council tells: SAFE's months go further, and one holder makes no quarter.
quarters as (
    select distinct
        period_end,
        month_number
    from figures
    where dataset like 'wgc/%' and kind = 'country' and month_number % 3 = 0
),

-- Sums and regions are computed by others over those who reported; they are shown and never carried.
candidates as (
    select
        figures.*,
        quarters.period_end as quarter_end,
        quarters.month_number - figures.month_number as months_carried,
        row_number() over (
            partition by figures.holder_id, quarters.period_end order by figures.month_number desc
        ) as recency
    from quarters
    inner join figures
        on
            quarters.month_number - figures.month_number between 0 and case
                when figures.kind = 'country' or figures.aggregate_kind in ('institution', 'monetary_union')
                    then {{ carried_months }}
                else 0
            end
),

standing as (
    select * from candidates
    where recency = 1
),

-- A union's central bank holds for its members; where both are told the union's figure is the sum's.
members_told_by_their_union as (
    select
        members.holder_id,
        unions.quarter_end
    from {{ ref('monetary_union_members') }} as members
    inner join standing as unions on members.union_id = unions.holder_id
)

select
    standing.holder_id,
    standing.holder_name,
    standing.kind,
    standing.aggregate_kind,
    cast(cast(extract(year from standing.quarter_end) as integer) as varchar(4))
    || 'Q' || cast(cast(extract(quarter from standing.quarter_end) as integer) as varchar(1)) as period,
    standing.quarter_end as period_end,
    standing.tonnes,
    standing.months_carried > 0 as is_carried_forward,
    case when standing.months_carried > 0 then standing.period_end end as carried_from,
    cast(standing.months_carried as integer) as months_carried,
    -- The State Oil Fund of Azerbaijan is no monetary authority: its gold is in nobody's official reserves.
    (standing.kind = 'country' or standing.aggregate_kind in ('institution', 'monetary_union'))
    and standing.holder_id <> 'SOFAZ'
    and members.holder_id is null as is_counted_in_sums,
    standing.released_on,
    standing.dataset,
    standing.archive_sha256,
    standing.line
from standing
left join members_told_by_their_union as members
    on standing.holder_id = members.holder_id and standing.quarter_end = members.quarter_end
