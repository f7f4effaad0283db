-- Every statement of central banks' net purchases: which quarter or year, how much, said when and by whom.
-- A quarter with its successive prints is `where period = '2025Q1' order by released_on, reissue`.

with stated as (
    select
        *,
        'published' as evidence
    from {{ ref('stg_wgc__central_bank_demand') }}

    union all
    select
        *,
        'cited' as evidence
    from {{ ref('stg_wgc__cited_demand') }}
)

select
    case
        when measure = 'demand'
            then
                cast(cast(extract(year from period_end) as integer) as varchar(4))
                || 'Q' || cast(cast(extract(quarter from period_end) as integer) as varchar(1))
        else cast(cast(extract(year from period_end) as integer) as varchar(4))
    end as period,
    period_end,
    measure,
    value_tonnes as tonnes,
    status,
    released_on,
    reissue,
    dataset,
    evidence,
    archive_sha256,
    line
from stated
