{#-
    CTEs that look up what was published: from `claims_read` to `claims_observed`, a row a claim, basis, role
    (own, other), entity and period with the figure as bounds lo and hi. The bases:

      today   the figure as it stands: lo and hi are one
      day     as known on `published_on`, by the releases held; no row where none was
      reach   what it may have been on that day: as known, where the release held was the current one; else
              as far from today's figure as the dataset's revisions reach

    vintages: fct_series_vintages. releases, datasets: raw tables.
-#}
{% macro claims_known(vintages, releases, datasets) -%}
claim_series_asked as (
    select
        claim_row,
        'own' as role,
        series,
        entity,
        series_kind,
        end_form,
        end_day,
        start_form,
        start_day
    from claims_read
    where error is null

    union all
    select
        claims_read.claim_row,
        'other' as role,
        claims_read.other_series as series,
        claims_read.other_entity as entity,
        claims_read.series_kind,
        claims_read.end_form,
        claims_read.end_day,
        claims_read.start_form,
        claims_read.start_day
    from claims_read
    where error is null and measure in ('exceeds', 'ratio') and other_series <> ''
),

claim_dates as (
    select distinct
        asked.claim_row,
        asked.role,
        vintages.frequency,
        vintages.period_end,
        case vintages.frequency
            when 'day' then 1 when 'week' then 2 when 'month' then 3 when 'quarter' then 4 when 'year' then 5
            else 6
        end as coarseness
    from claim_series_asked as asked
    inner join {{ vintages }} as vintages
        on
            asked.series = vintages.series
            and (asked.entity = vintages.entity or (asked.entity = '*' and vintages.entity_kind = 'country'))
),

-- A flow is of just the period that is named; a stock of its last day, so that a finer series tells it too.
claim_frequencies as (
    select
        asked.claim_row,
        asked.role,
        coalesce(
            max(case when dates.frequency = asked.end_form then dates.frequency end),
            case
                when max(case when asked.series_kind = 'stock' then 1 else 0 end) = 1
                    then case min(dates.coarseness)
                        when 1 then 'day' when 2 then 'week' when 3 then 'month' when 4 then 'quarter'
                        when 5 then 'year' else 'fiscal_year'
                    end
            end
        ) as frequency,
        {{ joined_text('dates.frequency') }} as frequencies
    from claim_series_asked as asked
    inner join claim_dates as dates on asked.claim_row = dates.claim_row and asked.role = dates.role
    group by asked.claim_row, asked.role
),

-- How many days before a period's last day its figure may lie: a day that is named is that day, unless the
-- series is daily (holidays) or weekly; a month's figure may be of its last business day.
claim_periods as (
    select
        asked.claim_row,
        asked.role,
        frequencies.frequency,
        frequencies.frequencies,
        max(case
            when
                dates.period_end <= asked.end_day
                and {{ add_days('dates.period_end', "case frequencies.frequency when 'day' then 5 when 'week' then 7 else case asked.end_form when 'day' then 1 else 28 end end") }} > asked.end_day
                then dates.period_end
        end) as end_period,
        max(case
            when
                dates.period_end <= asked.start_day
                and {{ add_days('dates.period_end', "case frequencies.frequency when 'day' then 5 when 'week' then 7 else case asked.start_form when 'day' then 1 else 28 end end") }} > asked.start_day
                then dates.period_end
        end) as start_period
    from claim_series_asked as asked
    inner join claim_frequencies as frequencies
        on asked.claim_row = frequencies.claim_row and asked.role = frequencies.role
    inner join claim_dates as dates
        on
            asked.claim_row = dates.claim_row and asked.role = dates.role
            and frequencies.frequency = dates.frequency
    group by asked.claim_row, asked.role, frequencies.frequency, frequencies.frequencies
),

-- A release is sure to have been the current one for about as long as its publisher takes to the next.
held_releases as (
    select
        releases.dataset,
        releases.released_on,
        datasets.plausible_revision_ratio,
        {{ add_days('releases.released_on', "case datasets.cadence when 'daily' then 3 when 'weekly' then 7 when 'monthly' then 28 when 'quarterly' then 85 when 'yearly' then 360 else 36500 end") }} as current_until
    from {{ releases }} as releases
    inner join {{ datasets }} as datasets on releases.dataset = datasets.dataset
),

claim_releases as (
    select
        claims_read.claim_row,
        held_releases.dataset,
        max(case when held_releases.current_until >= claims_read.published_day then 1 else 0 end) as is_current,
        max(held_releases.released_on) as newest_released_on
    from claims_read
    inner join held_releases on claims_read.published_day >= held_releases.released_on
    where claims_read.error is null
    group by claims_read.claim_row, held_releases.dataset
),

claim_vintages as (
    select
        claims_read.claim_row,
        periods.role,
        vintages.entity,
        vintages.entity = asked.entity as is_own,
        vintages.period_end,
        vintages.value,
        vintages.segment,
        vintages.dataset,
        vintages.archived_on,
        vintages.archive_sha256,
        vintages.evidence,
        vintages.superseded_on is null as stands_today,
        vintages.released_on <= claims_read.published_day
        and (vintages.superseded_on is null or vintages.superseded_on > claims_read.published_day)
            as stood_on_the_day
    from claims_read
    inner join claim_periods as periods on claims_read.claim_row = periods.claim_row
    inner join claim_series_asked as asked
        on periods.claim_row = asked.claim_row and periods.role = asked.role
    inner join {{ vintages }} as vintages
        on
            asked.series = vintages.series
            and periods.frequency = vintages.frequency
            and vintages.status = 'published'
            and (
                asked.entity = vintages.entity
                or (claims_read.needs_all and vintages.entity_kind = 'country')
            )
            and vintages.period_end <= periods.end_period
            and (
                claims_read.needs_history
                or vintages.period_end in (periods.end_period, periods.start_period)
            )
),

claim_known as (
    select
        claim_row,
        role,
        entity,
        is_own,
        period_end,
        max(segment) as segment,
        max(case when stands_today then value end) as value_today,
        max(case when stands_today then dataset end) as dataset_today,
        max(case when stands_today then archive_sha256 end) as archive_sha256,
        max(case when stands_today then archived_on end) as archived_today,
        max(case when stood_on_the_day then value end) as value_day,
        max(case when stood_on_the_day then dataset end) as dataset_day,
        max(case when stood_on_the_day then archived_on end) as archived_day,
        max(case when stood_on_the_day then evidence end) as evidence_day
    from claim_vintages
    where stands_today or stood_on_the_day
    group by claim_row, role, entity, is_own, period_end
),

claim_reach as (
    select
        known.*,
        coalesce(
            known.value_day is not null
            and (
                known.value_day = known.value_today or known.value_today is null
                -- Of a release that is quoted only what was quoted is held: the figure's own must be the newest.
                or (
                    releases.is_current = 1
                    and (known.evidence_day <> 'cited' or known.archived_day = releases.newest_released_on)
                )
                -- A newer table of the same publisher that repeats a recent figure says that it stands.
                or exists (
                    select 1 from claim_releases as beside
                    where
                        beside.claim_row = known.claim_row
                        and beside.is_current = 1
                        and position(
                            substring(known.dataset_day, 1, position('/' in known.dataset_day)) in beside.dataset
                        ) = 1
                        and beside.dataset <> known.dataset_day
                        and beside.dataset not like '%/cited%'
                        and {{ add_days('known.period_end', '430') }} > beside.newest_released_on
                        and known.evidence_day <> 'cited'
                )
            ),
            false
        ) as is_sure_of_the_day,
        coalesce(known.value_today, known.value_day) as around,
        -- Where holders are compared one would have to be revised up and another down, each as far as the farthest
        -- single one ever was: a quarter of that for each is what such a comparison is allowed.
        coalesce(datasets.plausible_revision_ratio, 0) * case when claims_read.needs_all then 0.25 else 1 end
        * abs(coalesce(known.value_today, known.value_day)) as reaches
    from claim_known as known
    inner join claims_read on known.claim_row = claims_read.claim_row
    left join {{ datasets }} as datasets
        on coalesce(known.dataset_today, known.dataset_day) = datasets.dataset
    left join claim_releases as releases
        on known.claim_row = releases.claim_row and known.dataset_day = releases.dataset
),

claims_observed as (
    select
        claim_row,
        'today' as basis,
        role,
        entity,
        is_own,
        period_end,
        segment,
        value_today as lo,
        value_today as hi
    from claim_reach
    where value_today is not null

    union all
    select
        claim_row,
        'day' as basis,
        role,
        entity,
        is_own,
        period_end,
        segment,
        value_day as lo,
        value_day as hi
    from claim_reach
    where value_day is not null

    union all
    select
        claim_row,
        'reach' as basis,
        role,
        entity,
        is_own,
        period_end,
        segment,
        case
            when is_sure_of_the_day then value_day
            when value_day < around - reaches then value_day
            else around - reaches
        end as lo,
        case
            when is_sure_of_the_day then value_day
            when value_day > around + reaches then value_day
            else around + reaches
        end as hi
    from claim_reach
),
{%- endmacro %}
