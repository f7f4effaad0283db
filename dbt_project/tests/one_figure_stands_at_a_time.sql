-- On any day at most one version of a cell stands: a version ends where the next begins.
select
    holder_id,
    period_end,
    version
from (
    select
        holder_id,
        period_end,
        version,
        superseded_on,
        lead(released_on) over (partition by holder_id, period_end order by version) as next_released_on
    from {{ ref('fct_holdings_vintages') }}
) as versions
where coalesce(superseded_on, date '9999-12-31') <> coalesce(next_released_on, date '9999-12-31')
