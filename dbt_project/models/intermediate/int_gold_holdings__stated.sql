-- Every statement of a gold holding, from every table: who, at the end of which month, how much, said when.
-- Changes (stg_wgc__holdings_changes) are no holdings and are left out.

with stated as (
    select
        holder_id,
        period_end,
        true as is_month_exact,
        value_tonnes as tonnes,
        status,
        released_on,
        reissue,
        dataset,
        archive_sha256,
        line
    from {{ ref('stg_wgc__holdings_api') }}
    where measure = 'gold'

    union all
    select
        holder_id,
        period_end,
        true as is_month_exact,
        value_tonnes as tonnes,
        status,
        released_on,
        reissue,
        dataset,
        archive_sha256,
        line
    from {{ ref('stg_wgc__holdings_quarterly') }}
    where measure = 'gold'

    union all
    select
        holder_id,
        period_end,
        is_month_exact,
        value_tonnes as tonnes,
        status,
        released_on,
        reissue,
        dataset,
        archive_sha256,
        line
    from {{ ref('stg_wgc__holdings_ranking') }}
    where measure = 'gold'
)

select * from stated
