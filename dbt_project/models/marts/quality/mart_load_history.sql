-- Every release that is loaded, and how much of it was news.

with numbered as (
    select
        dataset,
        released_on,
        reissue,
        period_end,
        status,
        row_number() over (
            partition by dataset, cell, measure, period_end order by released_on, reissue
        ) as print_order
    from {{ source('raw', 'observations') }}
),

news as (
    select
        dataset,
        released_on,
        reissue,
        sum(case when print_order = 1 then 1 else 0 end) as new_cells,
        sum(case when print_order > 1 and status <> 'deleted' then 1 else 0 end) as changed_cells,
        sum(case when status = 'deleted' then 1 else 0 end) as withdrawn_cells,
        max(case when status = 'published' then period_end end) as newest_new_period_end
    from numbered
    group by dataset, released_on, reissue
)

select
    releases.dataset,
    releases.released_on,
    releases.reissue,
    datasets.source,
    releases.evidence,
    releases.file,
    releases.source_url,
    releases.bytes,
    cast(releases.cells as integer) as cells,
    cast(coalesce(news.new_cells, 0) as integer) as new_cells,
    cast(coalesce(news.changed_cells, 0) as integer) as changed_cells,
    cast(coalesce(news.withdrawn_cells, 0) as integer) as withdrawn_cells,
    news.newest_new_period_end,
    releases.archive_sha256
from {{ source('raw', 'releases') }} as releases
inner join {{ source('raw', 'datasets') }} as datasets on releases.dataset = datasets.dataset
left join news
    on
        releases.dataset = news.dataset
        and releases.released_on = news.released_on
        and releases.reissue = news.reissue
