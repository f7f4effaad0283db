-- Every statement of every series that marts and claims know by one name: which, whose, of which period, how
-- much, said when. Of a dataset that is never revised a figure is known from its day plus the dataset's lag,
-- whatever release brought it here: `released_on` is that day, `archived_on` the release in the archive.

with never_revised as (
    select
        dataset,
        lag_days
    from {{ source('raw', 'datasets') }}
    where revisions = 'none'
),

holdings as (
    select
        'treasury_holdings' as series,
        case when versions.holder_id = 'GRAND_TOTAL' then 'WLD' else versions.holder_id end as entity,
        'month' as frequency,
        versions.period_end,
        versions.holdings_usd_bn as value,
        versions.status,
        versions.released_on,
        versions.reissue,
        versions.version as dataset_rank,
        versions.dataset,
        versions.evidence,
        versions.archive_sha256,
        versions.line,
        segments.segment
    from {{ ref('int_holdings__versions') }} as versions
    inner join {{ ref('int_holdings__segments') }} as segments
        on versions.holder_id = segments.holder_id and versions.period_end = segments.period_end
),

federal_reserve as (
    select
        'fed_treasuries' as series,
        'USA' as entity,
        'week' as frequency,
        period_end,
        value_usd_bn as value,
        status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        line
    from {{ ref('stg_fed__treast') }}
),

debt as (
    select
        case component
            when 'total' then 'debt_total'
            when 'held_by_public' then 'debt_held_by_public'
            else 'debt_intragovernmental'
        end as series,
        'USA' as entity,
        'day' as frequency,
        period_end,
        value_usd_bn as value,
        status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        line
    from {{ ref('stg_fiscaldata__debt_to_penny') }}
),

interest as (
    select
        'gross_interest' as series,
        'USA' as entity,
        'month' as frequency,
        period_end,
        case when count(value_usd_bn) = 2 then {{ exact_sum('value_usd_bn') }} end as value,
        case when count(value_usd_bn) = 2 then 'published' else 'not_available' end as status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        min(line) as line
    from {{ ref('stg_fiscaldata__interest_expense') }}
    group by period_end, released_on, reissue, dataset, archive_sha256
),

gdp as (
    select
        'gdp' as series,
        'USA' as entity,
        'quarter' as frequency,
        period_end,
        value_usd_bn as value,
        status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        line
    from {{ ref('stg_bea__gdp') }}
),

-- Of two of CBO's files of one day the one that is kept to evaluate projections by stands.
budget as (
    select
        stated.component as series,
        'USA' as entity,
        'fiscal_year' as frequency,
        stated.period_end,
        stated.value_usd_bn as value,
        stated.status,
        stated.released_on,
        stated.reissue,
        case
            when stated.dataset in ('cbo/actuals', 'cbo/actual_gdp') then 3
            when stated.dataset = 'cbo/historical_budget' then 2
            else 1
        end as dataset_rank,
        stated.dataset,
        'published' as evidence,
        stated.archive_sha256,
        stated.line
    from {{ ref('int_budget_actuals__stated') }} as stated
    where stated.status <> 'deleted'
),

gold as (
    select
        'gold_tonnes' as series,
        holder_id as entity,
        'month' as frequency,
        period_end,
        tonnes as value,
        status,
        released_on,
        reissue,
        version as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        line
    from {{ ref('fct_gold_holdings_vintages') }}
    where is_month_exact
),

gold_of_china as (
    select
        'gold_fine_oz' as series,
        'CHN' as entity,
        'month' as frequency,
        period_end,
        round(value_fine_oz * 0.000001, 6) as value,
        status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        line
    from {{ ref('stg_safe__reserve_assets') }}
    where item = 'gold' and measure = 'volume'
),

demand as (
    select
        'central_bank_gold_demand' as series,
        'WLD' as entity,
        case when measure = 'demand' then 'quarter' else 'year' end as frequency,
        period_end,
        tonnes as value,
        status,
        released_on,
        reissue,
        case when evidence = 'published' then 2 else 1 end as dataset_rank,
        dataset,
        evidence,
        archive_sha256,
        line
    from {{ ref('int_central_bank_demand__stated') }}
),

price as (
    select
        'gold_price' as series,
        'WLD' as entity,
        'month' as frequency,
        period_end,
        usd_per_fine_oz as value,
        status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        line
    from {{ ref('stg_worldbank__gold_price') }}
),

payments as (
    select
        item as series,
        'CHN' as entity,
        frequency,
        period_end,
        value_usd_bn as value,
        status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        line
    from {{ ref('stg_safe__balance_of_payments') }}
    where measure = 'flow_usd' and item in ('current_account', 'goods_balance', 'services_balance')
),

reserves as (
    select
        case item
            when 'fx_reserves' then 'fx_reserves'
            when 'gold' then 'gold_reserves'
            else 'reserve_assets_total'
        end as series,
        'CHN' as entity,
        'month' as frequency,
        period_end,
        value_usd_bn as value,
        status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'published' as evidence,
        archive_sha256,
        line
    from {{ ref('stg_safe__reserve_assets') }}
    where measure = 'value_usd' and item in ('fx_reserves', 'gold', 'total_official_reserve_assets')
),

investment_position as (
    select
        'external_' || item as series,
        'CHN' as entity,
        'quarter' as frequency,
        period_end,
        value_usd_bn as value,
        status,
        released_on,
        reissue,
        1 as dataset_rank,
        dataset,
        'cited' as evidence,
        archive_sha256,
        line
    from {{ ref('stg_safe__investment_position') }}
),

of_one_segment as (
    select * from federal_reserve
    union all
    select * from debt
    union all
    select * from interest
    union all
    select * from gdp
    union all
    select * from budget
    union all
    select * from gold
    union all
    select * from gold_of_china
    union all
    select * from demand
    union all
    select * from price
    union all
    select * from payments
    union all
    select * from reserves
    union all
    select * from investment_position
),

every_series as (
    select * from holdings
    union all
    select
        of_one_segment.*,
        0 as segment
    from of_one_segment
)

select
    every_series.series,
    every_series.entity,
    every_series.frequency,
    every_series.period_end,
    every_series.value,
    every_series.status,
    case
        when {{ add_days('every_series.period_end', 'never_revised.lag_days') }} < every_series.released_on
            then {{ add_days('every_series.period_end', 'never_revised.lag_days') }}
        else every_series.released_on
    end as released_on,
    every_series.released_on as archived_on,
    every_series.reissue,
    every_series.dataset_rank,
    every_series.dataset,
    every_series.evidence,
    every_series.archive_sha256,
    every_series.line,
    every_series.segment
from every_series
left join never_revised on every_series.dataset = never_revised.dataset
