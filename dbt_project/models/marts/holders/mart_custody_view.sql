-- Holders grouped by an assumption on who stands behind a custodian. The Treasury counts by the custodian's
-- country and publishes nothing on the owners': which assumption to take is the reader's choice.

with members as (
    select
        assumptions.assumption_id,
        assumptions.group_name,
        assumptions.holder_id,
        holders.holder_name
    from {{ ref('custody_assumptions') }} as assumptions
    inner join {{ ref('holders') }} as holders on assumptions.holder_id = holders.holder_id
),

sizes as (
    select
        assumption_id,
        group_name,
        cast(count(*) as integer) as members,
        {{ joined_text('holder_name') }} as member_names
    from members
    group by assumption_id, group_name
),

-- A sum over all members or none: that of some would rise and fall with who is published.
grouped as (
    select
        members.assumption_id,
        members.group_name,
        changes.period_end,
        cast(count(*) as integer) as members_with_figures,
        {{ exact_sum('changes.holdings_usd_bn') }} as holdings_usd_bn,
        case
            when count(changes.change_1m_usd_bn) = count(*) then {{ exact_sum('changes.change_1m_usd_bn') }}
        end as change_1m_usd_bn,
        case
            when count(changes.change_12m_usd_bn) = count(*) then {{ exact_sum('changes.change_12m_usd_bn') }}
        end as change_12m_usd_bn,
        max(changes.released_on) as released_on
    from members
    inner join {{ ref('fct_holding_changes') }} as changes on members.holder_id = changes.holder_id
    group by members.assumption_id, members.group_name, changes.period_end
)

select
    grouped.assumption_id,
    grouped.group_name,
    grouped.period_end,
    sizes.member_names,
    sizes.members,
    grouped.members_with_figures,
    case when grouped.members_with_figures = sizes.members then grouped.holdings_usd_bn end
        as holdings_usd_bn,
    case when grouped.members_with_figures = sizes.members then grouped.change_1m_usd_bn end
        as change_1m_usd_bn,
    case when grouped.members_with_figures = sizes.members then grouped.change_12m_usd_bn end
        as change_12m_usd_bn,
    grouped.released_on,
    'An assumption, not data: holdings stand at the custodian''s country, and nobody publishes whose they are'
        as caveat
from grouped
inner join sizes
    on grouped.assumption_id = sizes.assumption_id and grouped.group_name = sizes.group_name
