-- One history of each figure of a series: a row where it became another one. Sums and ratios of other figures
-- have a version on every day on which one of theirs changed.

with numbered as (
    select
        stated.*,
        lag(value) over statements as value_before,
        lag(status) over statements as status_before
    from {{ ref('int_series__stated') }} as stated
    window statements as (
        partition by series, entity, frequency, period_end order by archived_on, dataset_rank, reissue
    )
),

-- What was published of a never revised series on its day is not superseded by its copies.
published as (
    select
        series,
        entity,
        frequency,
        period_end,
        value,
        status,
        released_on,
        lead(released_on) over (
            partition by series, entity, frequency, period_end order by archived_on, dataset_rank, reissue
        ) as superseded_on,
        archived_on,
        dataset,
        evidence,
        archive_sha256,
        line,
        segment
    from numbered
    where
        status_before is null
        or status_before <> status
        or coalesce(value, 0) <> coalesce(value_before, 0)
),

-- The year of a quarter or month, for series whose years are sums or means of them.
kinds_of_years as (
    select 'year' as frequency
    union all
    select 'fiscal_year' as frequency
),

parts as (
    select
        published.*,
        case when published.series = 'gross_interest' then 12 else 4 end as parts_of_a_year,
        kinds_of_years.frequency as frequency_of_year,
        cast(extract(year from published.period_end) as integer)
        + case
            when kinds_of_years.frequency = 'fiscal_year' and extract(month from published.period_end) >= 10
                then 1
            else 0
        end as year_number
    from published
    inner join kinds_of_years
        on published.series = 'gross_interest' or kinds_of_years.frequency = 'year'
    where
        (published.series = 'gross_interest' and published.frequency = 'month')
        or (published.series in ('gdp', 'central_bank_gold_demand') and published.frequency = 'quarter')
),

moments as (
    select
        series,
        frequency_of_year,
        year_number,
        released_on,
        max(archived_on) as archived_on,
        max(archive_sha256) as archive_sha256
    from parts
    group by series, frequency_of_year, year_number, released_on
),

years as (
    select
        moments.series,
        parts.entity,
        moments.frequency_of_year as frequency,
        cast(
            cast(moments.year_number as varchar(4))
            || case when moments.frequency_of_year = 'year' then '-12-31' else '-09-30' end as date
        ) as period_end,
        {{ exact_sum('parts.value') }}
        / case when moments.series = 'gdp' then 4 else 1 end as value,
        'published' as status,
        moments.released_on,
        moments.archived_on,
        max(parts.dataset) as dataset,
        'derived' as evidence,
        moments.archive_sha256
    from moments
    inner join parts
        on
            moments.series = parts.series
            and moments.frequency_of_year = parts.frequency_of_year
            and moments.year_number = parts.year_number
            and moments.released_on >= parts.released_on
            and (parts.superseded_on is null or moments.released_on < parts.superseded_on)
    group by
        moments.series,
        parts.entity,
        moments.frequency_of_year,
        moments.year_number,
        moments.released_on,
        moments.archived_on,
        moments.archive_sha256
    having count(parts.value) = max(parts.parts_of_a_year)
),

-- Years as printed and years as their parts sum up, the later one each: an edition that revises quarters and
-- prints no year has revised the year.
years_told as (
    select * from years
    union all
    select
        series,
        entity,
        frequency,
        period_end,
        value,
        status,
        released_on,
        archived_on,
        dataset,
        evidence,
        archive_sha256
    from published
    where series = 'central_bank_gold_demand' and frequency = 'year'
),

years_standing as (
    select
        series,
        entity,
        frequency,
        period_end,
        value,
        status,
        released_on,
        lead(released_on) over (
            partition by series, entity, frequency, period_end order by released_on asc, evidence desc
        ) as superseded_on,
        archived_on,
        dataset,
        evidence,
        archive_sha256,
        cast(null as integer) as line,
        0 as segment
    from years_told
),

debt_days as (
    select
        period_end,
        value,
        released_on,
        row_number() over (
            partition by extract(year from period_end), extract(month from period_end)
            order by period_end desc
        ) as from_month_end
    from published
    where series = 'debt_total' and status = 'published'
),

debt_to_gdp as (
    select
        'debt_to_gdp' as series,
        gdp.entity,
        gdp.frequency,
        gdp.period_end,
        100 * debt_days.value / gdp.value as value,
        gdp.status,
        case
            when gdp.released_on >= debt_days.released_on then gdp.released_on else debt_days.released_on
        end as released_on,
        gdp.superseded_on,
        gdp.archived_on,
        gdp.dataset,
        'derived' as evidence,
        gdp.archive_sha256,
        cast(null as integer) as line,
        0 as segment
    from published as gdp
    inner join debt_days
        on
            extract(year from gdp.period_end) = extract(year from debt_days.period_end)
            and extract(month from gdp.period_end) = extract(month from debt_days.period_end)
    where
        gdp.series = 'gdp' and gdp.frequency in ('quarter', 'fiscal_year') and debt_days.from_month_end = 1
        -- A month that is not over has no last day yet: within the last five, so that a weekend ends it.
        and {{ add_days('debt_days.period_end', '5') }} > gdp.period_end
)

select * from published
where series <> 'central_bank_gold_demand' or frequency <> 'year'
union all
select * from years_standing
union all
select * from debt_to_gdp
