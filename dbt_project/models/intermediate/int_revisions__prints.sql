-- Every print of every figure, in its publisher's unit, in order: what fct_revisions compares one by one.
--
-- Holdings of Treasuries and central banks' demand are one history over the tables that print them, so that
-- a first print quoted on the day stands before the file's. All else is compared within its dataset.

with holdings as (
    select
        'treasury_holdings' as series,
        holder_id as cell,
        -- All Other names other countries in each table: its figures are compared within one table only.
        case when holder_id = 'ALL_OTHER' then dataset else 'any' end as comparable,
        holder_id,
        'holdings' as measure,
        period_end,
        holdings_usd_bn as value,
        'usd_bn' as unit,
        status,
        released_on,
        version as print_order,
        reissue,
        dataset,
        evidence,
        archive_sha256
    from {{ ref('fct_holdings_vintages') }}
),

demand as (
    select
        series,
        'Central banks' as cell,
        'any' as comparable,
        entity as holder_id,
        case frequency when 'quarter' then 'demand' else 'demand_year' end as measure,
        period_end,
        value,
        unit,
        status,
        released_on,
        version as print_order,
        0 as reissue,
        dataset,
        evidence,
        archive_sha256
    from {{ ref('fct_series_vintages') }}
    where series = 'central_bank_gold_demand' and evidence <> 'derived'
),

-- Who a cell belongs to; a label whose meaning changed over time names nobody here.
aliases as (
    select
        source || '/' || dataset as dataset,
        label || coalesce(' | ' || code, '') as cell,
        min(holder_id) as holder_id
    from {{ ref('holder_aliases') }}
    group by source, dataset, label, code
    having count(distinct holder_id) = 1
),

cells as (
    select
        observations.dataset as series,
        observations.cell,
        'any' as comparable,
        aliases.holder_id,
        observations.measure,
        observations.period_end,
        observations.value,
        observations.unit,
        observations.status,
        observations.released_on,
        cast(
            row_number() over (
                partition by
                    observations.dataset, observations.cell, observations.measure, observations.period_end
                order by observations.released_on, observations.reissue
            ) as integer
        ) as print_order,
        observations.reissue,
        observations.dataset,
        datasets.evidence,
        observations.archive_sha256
    from {{ source('raw', 'observations') }} as observations
    inner join {{ source('raw', 'datasets') }} as datasets on observations.dataset = datasets.dataset
    left join aliases
        on observations.dataset = aliases.dataset and observations.cell = aliases.cell
    where
        not (
            datasets.source = 'tic' and observations.measure in ('holdings', 'holdings_total')
        )
        and observations.dataset not in ('wgc/central_bank_demand', 'wgc/cited_demand')
)

select * from holdings
union all
select * from demand
union all
select * from cells
