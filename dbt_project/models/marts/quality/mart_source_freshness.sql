{{ config(materialized="view") }}

-- How new the newest figure of each dataset is. A view, so that whoever asks is told of the day of asking: a
-- published file that nobody renews says by itself that it has grown old.

with held as (
    select
        dataset,
        count(*) as releases,
        max(released_on) as newest_released_on
    from {{ source('raw', 'releases') }}
    group by dataset
),

figures as (
    select
        dataset,
        max(newest_new_period_end) as newest_period_end
    from {{ ref('mart_load_history') }}
    group by dataset
),

budgets as (
    select
        datasets.dataset,
        datasets.source,
        datasets.publisher,
        datasets.title,
        datasets.cadence,
        datasets.evidence,
        datasets.state as publisher_state,
        cast(coalesce(held.releases, 0) as integer) as releases,
        held.newest_released_on,
        figures.newest_period_end,
        case
            when datasets.state = 'live' and datasets.evidence = 'published'
                then {{ add_days(
                    'case when datasets.looks_ahead then held.newest_released_on else figures.newest_period_end end',
                    'datasets.late_after_days'
                ) }}
        end as late_after,
        datasets.frozen_after_days,
        reachability.unreachable_since,
        reachability.last_answer
    from {{ source('raw', 'datasets') }} as datasets
    left join held on datasets.dataset = held.dataset
    left join figures on datasets.dataset = figures.dataset
    left join {{ source('raw', 'reachability') }} as reachability
        on datasets.dataset = reachability.dataset and datasets.state = 'live'
)

select
    dataset,
    source,
    publisher,
    title,
    cadence,
    evidence,
    releases,
    newest_released_on,
    newest_period_end,
    late_after,
    {{ add_days('late_after', 'frozen_after_days') }} as frozen_after,
    case
        when unreachable_since is not null then 'unreachable'
        when releases = 0 then 'empty'
        when late_after is null then 'ended'
        when current_date > {{ add_days('late_after', 'frozen_after_days') }} then 'frozen'
        when current_date > late_after then 'late'
        else 'fresh'
    end as state,
    case when current_date > late_after then {{ add_days('late_after', '1') }} end as late_since,
    unreachable_since,
    last_answer as unreachable_because
from budgets
