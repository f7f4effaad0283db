{#-
    CTEs that measure: from `claims_read`, `claim_periods` and `claims_observed` to `claims_measured`, a row a
    claim and basis with the measured value as bounds `measured_lo` and `measured_hi`, or, where a date is
    measured, `date_first` and `date_last`. One set of rules serves all three bases: of today and of the day both
    bounds are one figure.
-#}
{% macro claims_measured() -%}
claim_own as (
    select * from claims_observed
    where role = 'own' and is_own
),

claim_ends as (
    select
        own.claim_row,
        own.basis,
        own.lo,
        own.hi,
        own.segment,
        own.period_end
    from claim_own as own
    inner join claim_periods as periods
        on
            own.claim_row = periods.claim_row and periods.role = 'own'
            and own.period_end = periods.end_period
),

-- A change is measured within one unbroken stretch of a series.
claim_starts as (
    select
        own.claim_row,
        own.basis,
        own.lo,
        own.hi,
        ends.segment <> own.segment as is_across_break
    from claim_own as own
    inner join claim_periods as periods
        on
            own.claim_row = periods.claim_row and periods.role = 'own'
            and own.period_end = periods.start_period
    inner join claim_ends as ends on own.claim_row = ends.claim_row and own.basis = ends.basis
),

claim_others as (
    select
        observed.claim_row,
        observed.basis,
        observed.lo,
        observed.hi
    from claims_observed as observed
    inner join claim_periods as periods
        on
            observed.claim_row = periods.claim_row and periods.role = 'other'
            and observed.role = 'other'
            and observed.period_end = periods.end_period
),

-- The unbroken stretch up to the period, from period_start where one is given.
claim_peaks as (
    select
        own.claim_row,
        own.basis,
        max(own.lo) as lo,
        max(own.hi) as hi
    from claim_own as own
    inner join claim_ends as ends on own.claim_row = ends.claim_row and own.basis = ends.basis
    inner join claims_read on own.claim_row = claims_read.claim_row
    where
        own.segment = ends.segment
        and (claims_read.start_day is null or own.period_end >= claims_read.start_day)
    group by own.claim_row, own.basis
),

claim_all_changes as (
    select
        ends.claim_row,
        ends.basis,
        ends.entity,
        ends.is_own,
        ends.lo - starts.hi as lo,
        ends.hi - starts.lo as hi
    from claims_observed as ends
    inner join claim_periods as periods
        on
            ends.claim_row = periods.claim_row and periods.role = 'own' and ends.role = 'own'
            and ends.period_end = periods.end_period
    inner join claims_observed as starts
        on
            ends.claim_row = starts.claim_row and ends.basis = starts.basis and ends.entity = starts.entity
            and starts.role = 'own'
            and starts.period_end = periods.start_period
            and ends.segment = starts.segment
    where ends.entity <> 'WLD'
),

claim_decreases as (
    select
        claim_row,
        basis,
        sum(case when hi < -0.0000001 then 1 else 0 end) as lo,
        sum(case when lo < -0.0000001 then 1 else 0 end) as hi
    from claim_all_changes
    group by claim_row, basis
),

-- In the own direction: the largest rise, or the largest fall, is the first.
claim_change_ranks as (
    select
        own.claim_row,
        own.basis,
        1 + sum(case
            when own.lo + own.hi >= 0 and others.lo > own.hi + 0.0000001 then 1
            when own.lo + own.hi < 0 and others.hi < own.lo - 0.0000001 then 1
            else 0
        end) as lo,
        1 + sum(case
            when own.lo + own.hi >= 0 and others.hi > own.lo + 0.0000001 then 1
            when own.lo + own.hi < 0 and others.lo < own.hi - 0.0000001 then 1
            else 0
        end) as hi
    from claim_all_changes as own
    inner join claims_read on own.claim_row = claims_read.claim_row and claims_read.measure = 'rank_of_change'
    left join claim_all_changes as others
        on own.claim_row = others.claim_row and own.basis = others.basis and not others.is_own
    where own.is_own
    group by own.claim_row, own.basis
),

claim_ranks as (
    select
        own.claim_row,
        own.basis,
        own.period_end,
        1 + sum(case when others.lo > own.hi then 1 else 0 end) as lo,
        1 + sum(case when others.hi > own.lo then 1 else 0 end) as hi
    from claim_own as own
    inner join claims_read
        on own.claim_row = claims_read.claim_row and claims_read.measure in ('rank', 'first_rank')
    left join claims_observed as others
        on
            own.claim_row = others.claim_row and own.basis = others.basis
            and own.period_end = others.period_end
            and others.role = 'own' and not others.is_own
    group by own.claim_row, own.basis, own.period_end
),

-- Steps are counted in the claim's unit: of a monthly series a quarter is the step between quarters' ends.
claim_points as (
    select
        own.*,
        case claims_read.unit
            when 'days' then 5 when 'weeks' then 8 when 'months' then 31 when 'quarters' then 92 when 'years' then 366
            else case periods.frequency
                when 'day' then 5 when 'week' then 8 when 'month' then 31 when 'quarter' then 92 else 366
            end
        end as step_days
    from claim_own as own
    inner join claim_periods as periods on own.claim_row = periods.claim_row and periods.role = 'own'
    inner join claims_read
        on
            own.claim_row = claims_read.claim_row
            and claims_read.measure in ('streak_up', 'count_increase_months')
    where
        claims_read.unit not in ('days', 'weeks', 'months', 'quarters', 'years')
        or (claims_read.unit = 'days' and periods.frequency = 'day')
        or (claims_read.unit = 'weeks' and periods.frequency = 'week')
        or (claims_read.unit = 'months' and periods.frequency = 'month')
        or (
            claims_read.unit = 'quarters' and periods.frequency in ('quarter', 'month')
            and extract(month from own.period_end) in (3, 6, 9, 12)
        )
        or (
            claims_read.unit = 'years'
            and (
                periods.frequency in ('year', 'fiscal_year')
                or (periods.frequency = 'month' and extract(month from own.period_end) = 12)
            )
        )
),

claim_steps as (
    select
        own.claim_row,
        own.basis,
        own.period_end,
        own.lo > lag(own.hi) over earlier
        and own.segment = lag(own.segment) over earlier
        and {{ add_days('lag(own.period_end) over earlier', 'own.step_days') }} >= own.period_end
            as surely_rose,
        own.hi > lag(own.lo) over earlier
        and own.segment = lag(own.segment) over earlier
        and {{ add_days('lag(own.period_end) over earlier', 'own.step_days') }} >= own.period_end
            as possibly_rose
    from claim_points as own
    window earlier as (partition by own.claim_row, own.basis order by own.period_end)
),

claim_last_falls as (
    select
        claim_row,
        basis,
        max(case when not coalesce(surely_rose, false) then period_end end) as not_surely,
        max(case when not coalesce(possibly_rose, false) then period_end end) as not_possibly
    from claim_steps
    group by claim_row, basis
),

claim_streaks as (
    select
        steps.claim_row,
        steps.basis,
        sum(case when steps.period_end > falls.not_surely then 1 else 0 end) as lo,
        sum(case when steps.period_end > falls.not_possibly then 1 else 0 end) as hi
    from claim_steps as steps
    inner join claim_last_falls as falls
        on steps.claim_row = falls.claim_row and steps.basis = falls.basis
    inner join claim_periods as periods on steps.claim_row = periods.claim_row and periods.role = 'own'
    group by steps.claim_row, steps.basis
    -- A streak is one up to the period that is named.
    having max(steps.period_end) = max(periods.end_period)
),

-- The periods counted are those named, the first one included: each against the one before it.
claim_increases as (
    select
        steps.claim_row,
        steps.basis,
        sum(case when coalesce(steps.surely_rose, false) then 1 else 0 end) as lo,
        sum(case when coalesce(steps.possibly_rose, false) then 1 else 0 end) as hi
    from claim_steps as steps
    inner join claims_read on steps.claim_row = claims_read.claim_row
    where steps.period_end >= {{ first_day_counted() }}
    group by steps.claim_row, steps.basis
),

-- As in print: the last earlier period with a figure as low or lower, series breaks or not.
claim_lows as (
    select
        own.claim_row,
        own.basis,
        max(case when own.hi <= ends.lo then own.period_end end) as date_first,
        max(case when own.lo <= ends.hi then own.period_end end) as date_last
    from claim_own as own
    inner join claim_ends as ends on own.claim_row = ends.claim_row and own.basis = ends.basis
    inner join claims_read on own.claim_row = claims_read.claim_row and claims_read.measure = 'lowest_since'
    where own.period_end < ends.period_end
    group by own.claim_row, own.basis
),

-- A crossing is looked for from period_start; where none is given, from the first period on the other side.
claim_crossings as (
    select
        own.claim_row,
        own.basis,
        own.period_end,
        own.hi < claims_read.comparator_number as is_surely_there,
        own.lo < claims_read.comparator_number as is_possibly_there,
        own.lo >= claims_read.comparator_number as is_on_the_other_side
    from claim_own as own
    inner join claims_read on own.claim_row = claims_read.claim_row and claims_read.measure = 'first_below'

    union all
    select
        ranks.claim_row,
        ranks.basis,
        ranks.period_end,
        ranks.hi <= claims_read.comparator_number as is_surely_there,
        ranks.lo <= claims_read.comparator_number as is_possibly_there,
        ranks.lo > claims_read.comparator_number as is_on_the_other_side
    from claim_ranks as ranks
    inner join claims_read on ranks.claim_row = claims_read.claim_row and claims_read.measure = 'first_rank'
),

claim_windows as (
    select
        crossings.claim_row,
        coalesce(
            claims_read.start_day,
            min(case when crossings.is_on_the_other_side then crossings.period_end end),
            min(crossings.period_end)
        ) as window_start
    from claim_crossings as crossings
    inner join claims_read on crossings.claim_row = claims_read.claim_row
    where crossings.basis = 'today'
    group by crossings.claim_row, claims_read.start_day
),

claim_firsts as (
    select
        crossings.claim_row,
        crossings.basis,
        min(case when crossings.is_possibly_there then crossings.period_end end) as date_first,
        min(case when crossings.is_surely_there then crossings.period_end end) as date_last
    from claim_crossings as crossings
    inner join claim_windows as windows on crossings.claim_row = windows.claim_row
    where crossings.period_end >= windows.window_start
    group by crossings.claim_row, crossings.basis
),

claim_results as (
    select
        ends.claim_row,
        ends.basis,
        case claims_read.measure
            when 'level' then ends.lo
            when 'change' then case when not starts.is_across_break then {{ change_bound('starts', '-') }} end
            when 'change_pct' then case
                when not starts.is_across_break and starts.lo > 0
                    then 100 * ({{ change_bound('starts', '-') }}) / (0.5 * (starts.lo + starts.hi))
            end
            when 'change_since_peak' then {{ change_bound('peaks', '-') }}
            when 'peak' then peaks.lo
            when 'rank' then ranks.lo
            when 'rank_of_change' then change_ranks.lo
            when 'count_increase_months' then increases.lo
            when 'streak_up' then streaks.lo
            when 'exceeds' then case when ends.lo > others.hi then 1 when others.hi is not null then 0 end
            when 'ratio' then case
                when claims_read.other_series = '' or claims_read.comparator in ('at_least', 'at_most', 'above', 'below')
                    then case when starts.lo > 0 and not starts.is_across_break then ends.lo / starts.hi end
                when others.lo > 0 then ends.lo / others.hi
            end * case when claims_read.unit_dimension = 'pct' then 100 else 1 end
        end as measured_lo,
        case claims_read.measure
            when 'level' then ends.hi
            when 'change' then case when not starts.is_across_break then {{ change_bound('starts', '+') }} end
            when 'change_pct' then case
                when not starts.is_across_break and starts.lo > 0
                    then 100 * ({{ change_bound('starts', '+') }}) / (0.5 * (starts.lo + starts.hi))
            end
            when 'change_since_peak' then {{ change_bound('peaks', '+') }}
            when 'peak' then peaks.hi
            when 'rank' then ranks.hi
            when 'rank_of_change' then change_ranks.hi
            when 'count_increase_months' then increases.hi
            when 'streak_up' then streaks.hi
            when 'exceeds' then case when ends.hi > others.lo then 1 when others.lo is not null then 0 end
            when 'ratio' then case
                when claims_read.other_series = '' or claims_read.comparator in ('at_least', 'at_most', 'above', 'below')
                    then case when starts.lo > 0 and not starts.is_across_break then ends.hi / starts.lo end
                when others.lo > 0 then ends.hi / others.lo
            end * case when claims_read.unit_dimension = 'pct' then 100 else 1 end
        end as measured_hi,
        -- No lower figure before is the lowest on record, since no period; what did not come to pass by
        -- period_end did in none. Both stand as dates that no period has, and are told as none.
        case
            when claims_read.measure = 'lowest_since' then coalesce(lows.date_first, date '0001-01-01')
            when claims_read.measure in ('first_below', 'first_rank')
                then coalesce(firsts.date_first, date '9999-12-31')
        end as date_first,
        case
            when claims_read.measure = 'lowest_since' then coalesce(lows.date_last, date '0001-01-01')
            when claims_read.measure in ('first_below', 'first_rank')
                then coalesce(firsts.date_last, date '9999-12-31')
        end as date_last,
        coalesce(starts.is_across_break, false) as is_across_break
    from claim_ends as ends
    inner join claims_read on ends.claim_row = claims_read.claim_row
    left join claim_starts as starts on ends.claim_row = starts.claim_row and ends.basis = starts.basis
    left join claim_others as others on ends.claim_row = others.claim_row and ends.basis = others.basis
    left join claim_peaks as peaks on ends.claim_row = peaks.claim_row and ends.basis = peaks.basis
    left join claim_change_ranks as change_ranks
        on ends.claim_row = change_ranks.claim_row and ends.basis = change_ranks.basis
    left join claim_ranks as ranks
        on
            ends.claim_row = ranks.claim_row and ends.basis = ranks.basis
            and ends.period_end = ranks.period_end
            and claims_read.measure = 'rank'
    left join claim_increases as increases
        on ends.claim_row = increases.claim_row and ends.basis = increases.basis
    left join claim_streaks as streaks on ends.claim_row = streaks.claim_row and ends.basis = streaks.basis
    left join claim_lows as lows on ends.claim_row = lows.claim_row and ends.basis = lows.basis
    left join claim_firsts as firsts on ends.claim_row = firsts.claim_row and ends.basis = firsts.basis
    where claims_read.measure <> 'count_decreases'

    union all
    select
        decreases.claim_row,
        decreases.basis,
        decreases.lo as measured_lo,
        decreases.hi as measured_hi,
        cast(null as date) as date_first,
        cast(null as date) as date_last,
        false as is_across_break
    from claim_decreases as decreases
    inner join claims_read
        on decreases.claim_row = claims_read.claim_row and claims_read.measure = 'count_decreases'
),

-- Dates as numbers, in the steps of the period that is claimed.
claims_measured as (
    select
        results.claim_row,
        results.basis,
        results.is_across_break,
        case when claims_read.measure_dimension = 'date' then results.date_first end as date_first,
        case when claims_read.measure_dimension = 'date' then results.date_last end as date_last,
        {%- for bound, day in [('lo', 'results.date_first'), ('hi', 'results.date_last')] %}
        case
            when claims_read.claims_a_date then {{ date_as_number(day, 'claims_read.claimed_form') }}
            when claims_read.measure_dimension = 'date'
                then case
                    when {{ day }} = periods.end_period then 1
                    when results.basis = 'reach' and results.date_first <= periods.end_period
                    and results.date_last >= periods.end_period then {{ 0 if bound == 'lo' else 1 }}
                    else 0
                end
            else results.measured_{{ bound }}
        end as measured_{{ bound }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from claim_results as results
    inner join claims_read on results.claim_row = claims_read.claim_row
    inner join claim_periods as periods on results.claim_row = periods.claim_row and periods.role = 'own'
),
{%- endmacro %}

{#- From when periods are counted: the first day, or one near it, of the first period that is named. -#}
{% macro first_day_counted() -%}
    {{ add_days(
        'coalesce(claims_read.start_day, claims_read.end_day)',
        "case coalesce(claims_read.start_form, claims_read.end_form) when 'year' then -364 when 'fiscal_year' then -364 when 'quarter' then -89 when 'month' then -27 else 0 end"
    ) }}
{%- endmacro %}

{#-
    A bound of the change since another figure, `side` - or +. What revises a level mostly revises its neighbours
    with it, so that a change moves far less than its two levels could: by the dataset's ratio of the change and of
    a twentieth of the level. (Of TIC's monthly changes 99 in 100 moved by less than a hundredth of the level.)
    Where both figures are exact so is the change.
-#}
{% macro change_bound(base, side) -%}
    0.5 * (ends.lo + ends.hi) - 0.5 * ({{ base }}.lo + {{ base }}.hi)
    {{ side }} case
        when coalesce((ends.hi - ends.lo) / nullif(abs(ends.hi + ends.lo), 0), 0)
        > coalesce(({{ base }}.hi - {{ base }}.lo) / nullif(abs({{ base }}.hi + {{ base }}.lo), 0), 0)
            then coalesce((ends.hi - ends.lo) / nullif(abs(ends.hi + ends.lo), 0), 0)
        else coalesce(({{ base }}.hi - {{ base }}.lo) / nullif(abs({{ base }}.hi + {{ base }}.lo), 0), 0)
    end * (
        abs(0.5 * (ends.lo + ends.hi) - 0.5 * ({{ base }}.lo + {{ base }}.hi))
        + 0.05 * abs(0.5 * (ends.lo + ends.hi))
    )
{%- endmacro %}

{#- A date counted in steps of a kind of period: years, fiscal years, quarters, months or days. -#}
{% macro date_as_number(day, form) -%}
    case {{ form }}
        when 'year' then extract(year from {{ day }})
        when 'fiscal_year' then
            extract(year from {{ day }}) + case when extract(month from {{ day }}) >= 10 then 1 else 0 end
        when 'quarter' then extract(year from {{ day }}) * 4 + extract(quarter from {{ day }})
        when 'month' then extract(year from {{ day }}) * 12 + extract(month from {{ day }})
        when 'day' then
            extract(year from {{ day }}) * 366 + extract(month from {{ day }}) * 31 + extract(day from {{ day }})
    end
{%- endmacro %}
