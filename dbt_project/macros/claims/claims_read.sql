{#-
    CTEs that read statements: `claims_given` (the columns of claims.csv as text, and claim_row) to `claims_read`
    (periods as days, numbers as numbers, what the measure needs) with `error`, which says what is wrong with a
    row and is NULL where nothing is. An erroneous row takes no further part; the others do.

    series, units, holders: relations of the seeds.
-#}
{% macro claims_read(series, units, holders) -%}
claim_measures as (
    {#- dimension: what the claimed value is in; `series` is the series' own. -#}
    {%- for measure, dimension, needs_start, needs_history, needs_all, second_dimension in [
        ('level', 'series', false, false, false, ''),
        ('change', 'series', true, false, false, ''),
        ('change_pct', 'pct', true, false, false, ''),
        ('change_since_peak', 'series', false, true, false, ''),
        ('peak', 'series', false, true, false, ''),
        ('rank', 'rank', false, false, true, ''),
        ('rank_of_change', 'rank', true, false, true, ''),
        ('count_decreases', 'count', true, false, true, ''),
        ('count_increase_months', 'periods', false, true, false, 'count'),
        ('lowest_since', 'date', false, true, false, ''),
        ('first_below', 'date', false, true, false, 'boolean'),
        ('first_rank', 'date', false, true, true, 'boolean'),
        ('streak_up', 'periods', false, true, false, 'count'),
        ('exceeds', 'boolean', false, false, false, ''),
        ('ratio', 'ratio', false, false, false, 'pct'),
    ] %}
    select
        '{{ measure }}' as measure,
        '{{ dimension }}' as dimension,
        '{{ second_dimension }}' as second_dimension,
        {{ needs_start }} as needs_start,
        {{ needs_history }} as needs_history,
        {{ needs_all }} as needs_all
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

claims_trimmed as (
    select
        claim_row,
        {%- for column in [
            'claim_id', 'document', 'statement', 'series', 'entity', 'measure', 'period_start', 'period_end',
            'comparator', 'claimed_value', 'unit', 'tolerance', 'published_on'
        ] %}
        coalesce(trim({{ column }}), '') as {{ column }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from claims_given
),

claims_parsed as (
    select
        claims_trimmed.*,
        {{ period_form('claims_trimmed.period_start') }} as start_form,
        {{ period_last_day('claims_trimmed.period_start') }} as start_day,
        {{ period_form('claims_trimmed.period_end') }} as end_form,
        {{ period_last_day('claims_trimmed.period_end') }} as end_day,
        {{ number_or_null('claims_trimmed.claimed_value') }} as claimed_number,
        {{ period_form('claims_trimmed.claimed_value') }} as claimed_form,
        {{ period_last_day('claims_trimmed.claimed_value') }} as claimed_day,
        {{ number_or_null('claims_trimmed.tolerance') }} as tolerance_number,
        case
            when {{ period_form('claims_trimmed.published_on') }} = 'day'
                then {{ date_or_null('claims_trimmed.published_on') }}
        end as published_day,
        {{ number_or_null('claims_trimmed.comparator') }} as comparator_number,
        -- The other series of exceeds and ratio, of the same entity or of one named behind a colon.
        case
            when position(':' in claims_trimmed.comparator) > 0
                then substring(claims_trimmed.comparator, 1, position(':' in claims_trimmed.comparator) - 1)
            else claims_trimmed.comparator
        end as other_series,
        case
            when position(':' in claims_trimmed.comparator) > 0
                then substring(claims_trimmed.comparator, position(':' in claims_trimmed.comparator) + 1)
            else claims_trimmed.entity
        end as other_entity,
        series.unit as series_unit,
        series.kind as series_kind,
        series.held_against,
        series_units.dimension as series_dimension,
        units.dimension as unit_dimension,
        units.factor as unit_factor,
        measures.dimension as measure_dimension,
        measures.second_dimension,
        measures.needs_start,
        measures.needs_history,
        measures.needs_all,
        holders.kind as holder_kind
    from claims_trimmed
    left join {{ series }} as series on claims_trimmed.series = series.series
    left join {{ units }} as series_units on series.unit = series_units.unit
    left join {{ units }} as units on claims_trimmed.unit = units.unit
    left join claim_measures as measures on claims_trimmed.measure = measures.measure
    left join {{ holders }} as holders on claims_trimmed.entity = holders.holder_id
),

known_series as (
    select {{ joined_text('series') }} as names from {{ series }}
),

known_measures as (
    select {{ joined_text('measure') }} as names from claim_measures
),

claims_read as (
    select
        claims_parsed.*,
        -- Dates are claimed as periods, all else as numbers.
        measure_dimension = 'date' and unit_dimension = 'date' as claims_a_date,
        case
            when claims_parsed.tolerance <> '' then tolerance_number
            when measure_dimension = 'date' then 0
            -- More than, at least: what is named is the bound itself.
            when claims_parsed.comparator in ('at_least', 'at_most', 'above', 'below') then 0
            -- Half a unit of the claimed value's last digit.
            when position('.' in claims_parsed.claimed_value) > 0
                then 0.5 * power(
                    10, position('.' in claims_parsed.claimed_value) - length(claims_parsed.claimed_value)
                )
            else 0.5
        end as tolerance_used,
        nullif(concat_ws('; ',
            case when claims_parsed.claim_id = '' then 'claim_id: is empty' end,
            case
                when series_unit is null
                    then 'series: ''' || claims_parsed.series || ''' is unknown; known are ' || known_series.names
            end,
            case
                when measure_dimension is null
                    then 'measure: ''' || claims_parsed.measure || ''' is unknown; known are ' || known_measures.names
            end,
            case
                when claims_parsed.entity = '*' and claims_parsed.measure <> 'count_decreases'
                    then 'entity: * stands for every country holder and goes with count_decreases; the world is WLD'
                when claims_parsed.measure = 'count_decreases' and claims_parsed.entity not in ('*', 'WLD')
                    then 'entity: count_decreases counts holders, so that entity is *'
                when claims_parsed.entity <> '*' and holder_kind is null
                    then 'entity: ''' || claims_parsed.entity
                        || ''' is no ISO 3166 alpha-3 code of a holder, nor WLD or *; see dim_holder'
                when
                    claims_parsed.measure in ('rank', 'rank_of_change', 'first_rank')
                    and holder_kind <> 'country'
                    then 'entity: only countries are ranked, and ' || claims_parsed.entity || ' is an aggregate'
            end,
            case
                when end_day is null
                    then 'period_end: ''' || claims_parsed.period_end
                        || ''' is no YYYY-MM, YYYY-MM-DD, YYYYQn, YYYY or FYYYYY'
            end,
            case
                when claims_parsed.period_start <> '' and start_day is null
                    then 'period_start: ''' || claims_parsed.period_start
                        || ''' is no YYYY-MM, YYYY-MM-DD, YYYYQn, YYYY or FYYYYY'
                when claims_parsed.period_start = '' and needs_start
                    then 'period_start: ' || claims_parsed.measure || ' needs the period from which it is counted'
                when start_day > end_day then 'period_start: lies after period_end'
                when start_day = end_day and needs_start then 'period_start: is the same as period_end'
            end,
            case
                when claims_parsed.unit = '' then 'unit: is empty'
                when unit_dimension is null
                    then 'unit: ''' || claims_parsed.unit || ''' is unknown'
                when
                    unit_dimension <> case
                        when measure_dimension = 'series' then series_dimension else measure_dimension
                    end
                    and unit_dimension <> second_dimension
                    then 'unit: ''' || claims_parsed.unit || ''' does not fit ' || claims_parsed.measure || ' of '
                        || claims_parsed.series || case
                            when measure_dimension = 'series' then ', which is in ' || series_unit
                            else ', which is a ' || case measure_dimension
                                when 'pct' then 'percentage (pct)'
                                when 'rank' then 'rank'
                                when 'count' then 'count'
                                when 'periods' then 'number of periods (months, quarters, weeks, years)'
                                when 'date' then 'period (year, quarter, month, day)'
                                when 'boolean' then 'yes or no (boolean, 1 or 0)'
                                else 'ratio (ratio, times, pct)'
                            end
                        end
            end,
            case
                when measure_dimension = 'date' and unit_dimension = 'date' and claimed_day is null
                    then 'claimed_value: ''' || claims_parsed.claimed_value
                        || ''' is no YYYY-MM, YYYY-MM-DD, YYYYQn, YYYY or FYYYYY'
                when
                    not (measure_dimension = 'date' and unit_dimension = 'date') and claimed_number is null
                    then 'claimed_value: ''' || claims_parsed.claimed_value
                        || ''' is no number (digits, with a point before decimals)'
                when unit_dimension = 'boolean' and claimed_number not in (0, 1)
                    then 'claimed_value: of a boolean is 1 or 0'
            end,
            case
                when claims_parsed.tolerance <> '' and coalesce(tolerance_number, -1) < 0
                    then 'tolerance: ''' || claims_parsed.tolerance || ''' is no number of 0 or more'
            end,
            case
                when published_day is null
                    then 'published_on: ''' || claims_parsed.published_on || ''' is no day (YYYY-MM-DD)'
            end,
            case
                when claims_parsed.measure = 'first_below' and comparator_number is null
                    then 'comparator: first_below needs its threshold here, a number in ' || claims_parsed.series
                        || '''s unit'
                when
                    claims_parsed.measure = 'first_rank'
                    and coalesce(comparator_number, 0) not between 1 and 1000
                    then 'comparator: first_rank needs the rank here, 1 or more'
                when
                    (claims_parsed.measure = 'exceeds' or (claims_parsed.measure = 'ratio' and claims_parsed.period_start = ''))
                    and other.series is null
                    then 'comparator: ' || claims_parsed.measure
                        || ' needs the other series here, or series:ENTITY; known are ' || known_series.names
                when
                    claims_parsed.measure = 'ratio' and other.series is null
                    and claims_parsed.comparator not in ('', 'at_least', 'at_most', 'above', 'below')
                    then 'comparator: ''' || claims_parsed.comparator
                        || ''' is no series, nor at_least, at_most, above, below'
                when
                    claims_parsed.measure in ('exceeds', 'ratio') and other.series is not null
                    and other_holders.kind is null
                    then 'comparator: ''' || other_entity || ''' is no holder; see dim_holder'
                when
                    claims_parsed.measure = 'exceeds' and other.unit <> series_unit
                    then 'comparator: ' || other.series || ' is in ' || other.unit || ' and cannot be held against '
                        || claims_parsed.series || ', which is in ' || series_unit
                when
                    claims_parsed.measure not in ('first_below', 'first_rank', 'exceeds', 'ratio')
                    and claims_parsed.comparator not in ('', 'at_least', 'at_most', 'above', 'below')
                    then 'comparator: ''' || claims_parsed.comparator
                        || ''' is none of at_least, at_most, above, below, or empty for equal'
            end
        ), '') as error
    from claims_parsed
    cross join known_series
    cross join known_measures
    left join {{ series }} as other
        on claims_parsed.other_series = other.series and claims_parsed.measure in ('exceeds', 'ratio')
    left join {{ holders }} as other_holders on claims_parsed.other_entity = other_holders.holder_id
),
{%- endmacro %}
