-- One history of each holder and month over all tables: a row where the figure became another one.
--
-- The newest statement stands. Three kinds of statements change nothing and are left out:
--   * Table 3, in USD million, restates a figure of 0.1 bn that it agrees with after rounding (0.05), or
--     has no figure (n.a., or withdrawn) where another table does;
--   * a table withdraws what another full table (the history, Table 3) still prints, or what stands by the
--     word of a table that is no full one;
--   * All Other means other countries in each table: the table with the shortest list (Table 5) stands.

{%- set history, table3 = 3, 5 %}

with ordered as (
    select
        stated.*,
        row_number() over (
            partition by holder_id, period_end order by released_on, dataset_rank, reissue
        ) as statement_order
    from {{ ref('int_holdings__stated') }} as stated
),

runs as (
    select
        ordered.*,
        sum(case when is_exact then 0 else 1 end) over (
            partition by holder_id, period_end order by statement_order
        ) as rounded_run,
        max(dataset_rank) over (
            partition by holder_id, period_end order by statement_order
        ) as highest_rank
    from ordered
),

beside_rounded as (
    select
        runs.*,
        max(case when is_exact then null else holdings_usd_bn end) over (
            partition by holder_id, period_end, rounded_run
        ) as rounded_usd_bn
    from runs
),

-- What stood just before is found without reading back row by row: the order of a statement, times ten, plus
-- what is to be known of it; the largest so far, modulo ten, is that of the last one.
compared as (
    select
        beside_rounded.*,
        -- Once Table 3 has left the rounded figure its own figure stands, and its way back counts.
        max(case when is_exact and abs(holdings_usd_bn - rounded_usd_bn) > 0.0501 then 1 else 0 end) over (
            partition by holder_id, period_end, rounded_run
            order by statement_order rows between unbounded preceding and 1 preceding
        ) as has_departed,
        max(case when status <> 'deleted' then statement_order * 10 + dataset_rank end) over (
            partition by holder_id, period_end
            order by statement_order rows between unbounded preceding and 1 preceding
        ) % 10 as last_rank,
        max(case
            when dataset_rank = {{ history }}
                then statement_order * 10 + case when status = 'published' then 1 else 0 end
        end) over (partition by holder_id, period_end order by statement_order) % 10 as history_prints,
        max(case
            when dataset_rank = {{ table3 }}
                then statement_order * 10 + case when status = 'published' then 1 else 0 end
        end) over (partition by holder_id, period_end order by statement_order) % 10 as table3_prints
    from beside_rounded
),

saying_something as (
    select * from compared
    where
        not (
            is_exact and rounded_usd_bn is not null
            and (
                status <> 'published'
                or (coalesce(has_departed, 0) = 0 and abs(holdings_usd_bn - rounded_usd_bn) <= 0.0501)
            )
        )
        and not (holder_id = 'ALL_OTHER' and dataset_rank < highest_rank)
        and not (
            status = 'deleted'
            and (
                coalesce(last_rank, 0) not in ({{ history }}, {{ table3 }})
                or coalesce(history_prints, 0) = 1
                or coalesce(table3_prints, 0) = 1
            )
        )
),

standing as (
    select
        saying_something.*,
        lag(holdings_usd_bn)
            over (partition by holder_id, period_end order by statement_order)
            as usd_bn_before,
        lag(status) over (partition by holder_id, period_end order by statement_order) as status_before
    from saying_something
),

versions as (
    select * from standing
    where
        status_before is null
        or status_before <> status
        or coalesce(holdings_usd_bn, -1) <> coalesce(usd_bn_before, -1)
)

select
    holder_id,
    period_end,
    holdings_usd_bn,
    status,
    released_on,
    lead(released_on) over (partition by holder_id, period_end order by statement_order) as superseded_on,
    cast(
        row_number() over (partition by holder_id, period_end order by statement_order) as integer
    ) as version,
    reissue,
    dataset,
    evidence,
    is_exact,
    archive_sha256,
    line
from versions
