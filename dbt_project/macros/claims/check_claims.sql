{#-
    Every statement of `claims_given` with its verdict, as docs/claims.md tells them. One statement of SQL: the
    mart fct_claim_checks is it over the bundled statements, and in DuckDB the table macro check_claims('t') is it
    over any table of the same columns.

    claims_given: a query that gives the columns of claims.csv as text, and claim_row.
-#}
{% macro check_claims(claims_given, vintages, releases, datasets, series, units, holders) -%}
with claims_given as (
    {{ claims_given }}
),

{{ claims_read(series, units, holders) }}

{{ claims_known(vintages, releases, datasets) }}

{{ claims_measured() }}

claim_bases as (
    select
        claims_read.claim_row,
        max(case when measured.basis = 'today' then measured.measured_lo end) as today,
        max(case when measured.basis = 'today' then measured.date_last end) as date_today,
        -- Of a rank, a count or a stretch of time the day's figure is known only if all it is made of leaves no
        -- other: a day on which two holders' figures are held has no ranking.
        max(case
            when claims_read.needs_all or claims_read.needs_history
                then case
                    when measured.basis = 'reach' and measured.measured_lo = measured.measured_hi
                        then measured.measured_lo
                end
            when measured.basis = 'day' then measured.measured_lo
        end) as reached_day,
        max(case
            when measured.basis = 'reach' and measured.date_first = measured.date_last then measured.date_last
        end) as reached_date,
        max(case when measured.basis = 'day' then 1 else 0 end) as has_day,
        max(case when measured.basis = 'reach' then measured.measured_lo end) as reach_lo,
        max(case when measured.basis = 'reach' then measured.measured_hi end) as reach_hi,
        max(case when measured.is_across_break then 1 else 0 end) as is_across_break
    from claims_read
    inner join claims_measured as measured on claims_read.claim_row = measured.claim_row
    group by claims_read.claim_row
),

-- What the figures rest on: those of the period's ends, of the holder, or of all where all are compared.
claim_evidence as (
    select
        reach.claim_row,
        {{ joined_text("reach.dataset_today || '@' || cast(reach.archived_today as varchar(10))") }}
            as releases_today,
        {{ joined_text("reach.dataset_day || '@' || cast(reach.archived_day as varchar(10))") }}
            as releases_on_the_day,
        max(case when reach.is_own and reach.role = 'own' then coalesce(reach.dataset_today, reach.dataset_day) end) as dataset,
        max(case when reach.is_own and reach.role = 'own' then reach.archive_sha256 end) as archive_sha256,
        max(reach.reaches / nullif(abs(reach.around), 0)) as widest_reach,
        min(case when reach.is_sure_of_the_day then 1 else 0 end) as is_sure_of_the_day
    from claim_reach as reach
    inner join claim_periods as periods on reach.claim_row = periods.claim_row and reach.role = periods.role
    where reach.period_end in (periods.end_period, periods.start_period)
    group by reach.claim_row
),

claims_compared as (
    select
        claims_read.*,
        periods.frequency,
        periods.frequencies,
        periods.end_period,
        periods.start_period,
        bases.today,
        bases.date_today,
        case when bases.has_day = 1 then bases.reached_day end as on_the_day,
        case when bases.has_day = 1 and claims_read.measure_dimension = 'date' then bases.reached_date end
            as date_on_the_day,
        bases.reach_lo,
        bases.reach_hi,
        bases.is_across_break,
        evidence.releases_today,
        evidence.releases_on_the_day,
        evidence.dataset,
        evidence.archive_sha256,
        evidence.widest_reach,
        evidence.is_sure_of_the_day,
        case
            when claims_read.claims_a_date then {{ date_as_number('claims_read.claimed_day', 'claims_read.claimed_form') }}
            else claims_read.claimed_number * scale.factor
        end as claimed,
        claims_read.tolerance_used * scale.factor
        + 0.0000001 * (1 + abs(coalesce(claims_read.claimed_number, 0)) * scale.factor * 0.000001) as slack,
        scale.factor
    from claims_read
    inner join (
        select
            claim_row,
            case when measure_dimension = 'series' then unit_factor else 1 end as factor
        from claims_read
        where error is null
    ) as scale on claims_read.claim_row = scale.claim_row
    left join claim_periods as periods on claims_read.claim_row = periods.claim_row and periods.role = 'own'
    left join claim_bases as bases on claims_read.claim_row = bases.claim_row
    left join claim_evidence as evidence on claims_read.claim_row = evidence.claim_row
),

claims_held_against as (
    select
        claims_compared.*,
        {%- for name, lowest, highest in [
            ('holds_today', 'today', 'today'),
            ('holds_on_the_day', 'on_the_day', 'on_the_day'),
            ('may_have_held', 'reach_lo', 'reach_hi'),
        ] %}
        coalesce(
            case comparator
                when 'at_least' then {{ highest }} >= claimed - slack
                when 'above' then {{ highest }} > claimed - slack + case when tolerance_used = 0 then 2 * slack else 0 end
                when 'at_most' then {{ lowest }} <= claimed + slack
                when 'below' then {{ lowest }} < claimed + slack - case when tolerance_used = 0 then 2 * slack else 0 end
                else {{ highest }} >= claimed - slack and {{ lowest }} <= claimed + slack
            end,
            false
        ) as {{ name }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from claims_compared
),

claims_judged as (
    select
        claims_held_against.*,
        case
            when today is null and on_the_day is null then 'not_covered'
            when holds_today then 'confirmed'
            when holds_on_the_day then 'confirmed_when_published'
            when may_have_held and (on_the_day is null or is_sure_of_the_day = 0) then 'revised_unknown'
            else 'refuted'
        end as verdict
    from claims_held_against
),

claim_queries as (
    select
        claims_judged.*,
        {{ claim_query() }} as query
    from claims_judged
)

select
    claims_read.claim_row,
    claims_read.claim_id,
    claims_read.document,
    claims_read.statement,
    claims_read.series,
    claims_read.entity,
    claims_read.measure,
    claims_read.period_start,
    claims_read.period_end,
    claims_read.comparator,
    claims_read.claimed_value,
    claims_read.unit,
    claims_read.tolerance_used as tolerance,
    claims_read.published_day as published_on,
    case when claims_read.error is not null then 'error' else judged.verdict end as verdict,
    case
        when judged.measure_dimension <> 'date' or judged.claims_a_date = false
            then round(judged.today / judged.factor, 6)
    end as value_today,
    case
        when judged.measure_dimension <> 'date' or judged.claims_a_date = false
            then round(judged.on_the_day / judged.factor, 6)
    end as value_on_the_day,
    {{ period_or_none('judged.date_today') }} as date_today,
    {{ period_or_none('judged.date_on_the_day') }} as date_on_the_day,
    {{ claim_reason() }} as reason,
    claims_read.held_against,
    judged.dataset,
    judged.releases_today,
    case when judged.on_the_day is not null then judged.releases_on_the_day end as releases_on_the_day,
    replace(judged.query, '@', 'fct_series') as sql,
    replace(judged.query, '@', 'fct_series_as_of(''' || cast(judged.published_day as varchar(10)) || ''')')
        as sql_on_the_day,
    judged.archive_sha256,
    claims_read.error
from claims_read
left join claim_queries as judged on claims_read.claim_row = judged.claim_row
{%- endmacro %}

{#- A measured date, NULL where it stands for none. -#}
{% macro period_or_none(day) -%}
    case when {{ day }} > date '0001-01-01' and {{ day }} < date '9999-12-31' then {{ day }} end
{%- endmacro %}

{#- A figure in a sentence, in the unit of the claim. -#}
{% macro figure(value) -%}
    case
        when {{ value }} / judged.factor = floor({{ value }} / judged.factor)
            then cast(cast({{ value }} / judged.factor as bigint) as varchar(32))
        else cast(round({{ value }} / judged.factor, 3) as varchar(32))
    end
{%- endmacro %}

{#- Why the verdict is what it is, in a sentence. -#}
{% macro claim_reason() -%}
    {%- set shown_today -%}
        case
            when judged.claims_a_date then coalesce(cast({{ period_or_none('judged.date_today') }} as varchar(10)), 'no period')
            when judged.measure_dimension in ('boolean', 'date') then case when judged.today = 1 then 'yes' else 'no' end
            else {{ figure('judged.today') }}
        end
    {%- endset -%}
    {%- set shown_day -%}
        case
            when judged.claims_a_date then coalesce(cast({{ period_or_none('judged.date_on_the_day') }} as varchar(10)), 'no period')
            when judged.measure_dimension in ('boolean', 'date') then case when judged.on_the_day = 1 then 'yes' else 'no' end
            else {{ figure('judged.on_the_day') }}
        end
    {%- endset -%}
    case
        when claims_read.error is not null then null
        when judged.verdict = 'not_covered' and judged.frequencies is null
            then 'no figure of ' || judged.series || ' for ' || judged.entity || ' is held'
        when judged.verdict = 'not_covered' and judged.frequency is null
            then judged.series || ' of ' || judged.entity || ' is held by ' || judged.frequencies || ' alone'
        when judged.verdict = 'not_covered' and judged.is_across_break = 1
            then 'a series break lies between the two periods'
        when judged.verdict = 'not_covered' and judged.end_period is null
            then 'no figure of ' || judged.period_end || ' is held'
        when judged.verdict = 'not_covered' and judged.needs_start and judged.start_period is null
            then 'no figure of ' || judged.period_start || ' is held'
        when judged.verdict = 'not_covered' then 'the figures it needs are not all held'
        when judged.verdict = 'confirmed' then 'today ' || {{ shown_today }}
        when judged.verdict = 'confirmed_when_published'
            then {{ shown_day }} || ' on the day; revised since'
                || case when judged.today is null then ', no figure stands today' else ', today ' || {{ shown_today }} end
        when judged.verdict = 'revised_unknown' and judged.on_the_day is null
            then 'today ' || {{ shown_today }} || '; of the day no release is held, and a revision could explain it'
        when judged.verdict = 'revised_unknown'
            then 'today ' || {{ shown_today }} || ', in the last release held before the day ' || {{ shown_day }}
                || '; revised in between, on which day is not known'
        when judged.on_the_day is not null
            then coalesce('today ' || {{ shown_today }} || ', on the day ', 'on the day ') || {{ shown_day }}
        when judged.widest_reach > 0
            then 'today ' || {{ shown_today }} || '; farther off than revisions of ' || judged.dataset || ' reach ('
                || cast(round(100 * judged.widest_reach, 1) as varchar(12)) || '% of a figure)'
        else 'today ' || {{ shown_today }} || ', and ' || judged.dataset || ' is never revised'
    end
{%- endmacro %}
