-- One history of each holder and month over all tables: a row where the figure became another one.
--
-- The newest statement stands. Three kinds of statements change nothing and are left out:
--   * Table 3, in USD million, restates a figure of 0.1 bn that it agrees with after rounding (0.05), or
--     has no figure (n.a., or withdrawn) where another table does;
--   * a table withdraws what another table states;
--   * All Other means other countries in each table: the table with the shortest list (Table 5) stands.

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

saying_something as (
    select
        beside_rounded.*,
        lag(dataset) over (partition by holder_id, period_end order by statement_order) as dataset_before
    from beside_rounded
    where
        not (
            is_exact and rounded_usd_bn is not null
            and (status <> 'published' or abs(holdings_usd_bn - rounded_usd_bn) <= 0.0501)
        )
        and not (holder_id = 'ALL_OTHER' and dataset_rank < highest_rank)
),

standing as (
    select
        saying_something.*,
        lag(holdings_usd_bn)
            over (partition by holder_id, period_end order by statement_order)
            as usd_bn_before,
        lag(status) over (partition by holder_id, period_end order by statement_order) as status_before
    from saying_something
    where not (status = 'deleted' and (dataset_before is null or dataset_before <> dataset))
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
