-- One history of each holder's gold at the end of a month, over all tables: a row where another statement
-- came to stand.
--
-- Of what has been said of a cell by a day, this stands:
--   * for China what SAFE says, which holds the gold: the Council has it from there;
--   * else the newest figure of the Council's tables that tell its month (the charts' API, the quarterly
--     workbook, the ranking where it dates each row). A table without a figure takes none from another;
--   * else the ranking's figure under the month of most of its rows;
--   * else that there is no figure.
-- A figure that another table restates is a version too: the file behind it decides whether it may be
-- passed on.

{%- set tables = {'ranking_undated': 1, 'ranking': 2, 'quarterly': 3, 'api': 4, 'safe': 5} %}

with stated as (
    select
        holder_id,
        period_end,
        is_month_exact,
        tonnes,
        cast(null as double precision) as fine_oz,
        status,
        released_on,
        reissue,
        dataset,
        case
            when dataset = 'wgc/holdings_api' then {{ tables.api }}
            when dataset = 'wgc/holdings_quarterly' then {{ tables.quarterly }}
            when is_month_exact then {{ tables.ranking }}
            else {{ tables.ranking_undated }}
        end as source_table,
        archive_sha256,
        line
    from {{ ref('int_gold_holdings__stated') }}

    union all
    select
        'CHN' as holder_id,
        period_end,
        true as is_month_exact,
        value_tonnes as tonnes,
        value_fine_oz as fine_oz,
        status,
        released_on,
        reissue,
        dataset,
        {{ tables.safe }} as source_table,
        archive_sha256,
        line
    from {{ ref('stg_safe__reserve_assets') }}
    where item = 'gold' and measure = 'volume'
),

-- A statement's key is its order, times ten, plus whether it has a figure: so the last one of a table has the
-- largest, which tells that too.
ordered as (
    select
        stated.*,
        row_number() over (
            partition by holder_id, period_end order by released_on, source_table, reissue
        ) * 10 + case when status = 'published' then 1 else 0 end as statement_key
    from stated
),

said as (
    select
        ordered.*,
    {%- for name, number in tables.items() %}
        coalesce(max(case when source_table = {{ number }} then statement_key end) over (
            partition by holder_id, period_end order by statement_key
            ), 0) as {{ name }}_said{{ ',' if not loop.last }}
    {%- endfor %}
    from ordered
),

dated as (
    select
        said.*,
        greatest(
            case when api_said % 10 = 1 then api_said else 0 end,
            case when quarterly_said % 10 = 1 then quarterly_said else 0 end,
            case when ranking_said % 10 = 1 then ranking_said else 0 end
        ) as dated_figure
    from said
),

chosen as (
    select
        holder_id,
        period_end,
        released_on as stands_from,
        statement_key as said_last,
        case
            when safe_said % 10 = 1 then safe_said
            when dated_figure > 0 then dated_figure
            when ranking_undated_said % 10 = 1 then ranking_undated_said
            else statement_key
        end as standing
    from dated
),

compared as (
    select
        chosen.stands_from,
        chosen.said_last,
        statements.*,
        lag(statements.tonnes)
            over (partition by chosen.holder_id, chosen.period_end order by chosen.said_last)
            as tonnes_before,
        lag(statements.status)
            over (partition by chosen.holder_id, chosen.period_end order by chosen.said_last)
            as status_before,
        lag(statements.dataset)
            over (partition by chosen.holder_id, chosen.period_end order by chosen.said_last)
            as dataset_before
    from chosen
    inner join ordered as statements
        on
            chosen.holder_id = statements.holder_id
            and chosen.period_end = statements.period_end
            and chosen.standing = statements.statement_key
),

versions as (
    select * from compared
    where
        status_before is null
        or status_before <> status
        or dataset_before <> dataset
        or coalesce(tonnes_before, -1) <> coalesce(tonnes, -1)
)

select
    holder_id,
    period_end,
    tonnes,
    fine_oz,
    status,
    is_month_exact,
    -- Not the statement's own day where it stands again because another one was withdrawn.
    stands_from as released_on,
    lead(stands_from) over (partition by holder_id, period_end order by said_last) as superseded_on,
    cast(row_number() over (partition by holder_id, period_end order by said_last) as integer) as version,
    reissue,
    dataset,
    archive_sha256,
    line
from versions
