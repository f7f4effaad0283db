-- Every statement of a total holding, from every table: who, which month, how much, said when and where.
-- Of a month that is published in two series the one that continues is kept here.

with stated as (
    select
        *,
        'published' as evidence,
        2 as dataset_rank,
        false as is_exact
    from {{ ref('stg_tic__mfh') }}

    union all
    select
        *,
        'published' as evidence,
        3 as dataset_rank,
        false as is_exact
    from {{ ref('stg_tic__mfhhis01') }}
    where series <> 'old'

    union all
    select
        *,
        'published' as evidence,
        4 as dataset_rank,
        false as is_exact
    from {{ ref('stg_tic__slt_table5') }}

    union all
    select
        *,
        'published' as evidence,
        5 as dataset_rank,
        true as is_exact
    from {{ ref('stg_tic__slt_table3') }}
    where measure = 'holdings_total'

    union all
    select
        *,
        'cited' as evidence,
        1 as dataset_rank,
        false as is_exact
    from {{ ref('stg_tic__cited_first_prints') }}
),

-- A label that changes its footnote mark is withdrawn and published anew in one release: that is one
-- statement, the figure. So of two statements of one table and release, a figure goes before a withdrawal.
numbered as (
    select
        stated.*,
        row_number() over (
            partition by holder_id, period_end, dataset, released_on, reissue
            order by case when status = 'deleted' then 1 else 0 end, label
        ) as statement_number
    from stated
)

select
    holder_id,
    period_end,
    value_usd_bn as holdings_usd_bn,
    status,
    released_on,
    reissue,
    dataset,
    evidence,
    dataset_rank,
    is_exact,
    archive_sha256,
    line
from numbered
where statement_number = 1
