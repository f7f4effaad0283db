-- China's official reserves month by month, the Treasuries of its residents set against the foreign exchange.
-- A month stands here once SAFE tells all five assets: a share of an unknown total cannot be told.

with standing as (
    select
        'CHN' as holder_id,
        published.*
    from ({{ latest(ref('stg_safe__reserve_assets'), ['label', 'period_end', 'measure']) }}) as published
    where status = 'published'
),

-- SAFE computes SDR from USD at one rate a month, which its foreign currency tells to seven digits. It turns
-- into USD what is told in SDR alone, as the extract quotes the small assets of most years.
rates as (
    select
        holder_id,
        period_end,
        max(value_usd_bn) / max(value_sdr_bn) as usd_per_sdr
    from standing
    where item = 'fx_reserves'
    group by holder_id, period_end
),

assets as (
    select
        standing.holder_id,
        standing.period_end,
        standing.item,
        coalesce(max(standing.value_usd_bn), max(standing.value_sdr_bn) * max(rates.usd_per_sdr)) as usd_bn,
        max(standing.value_usd_bn) is null as is_converted,
        max(standing.value_tonnes) as tonnes,
        max(standing.value_fine_oz) as fine_oz,
        max(standing.released_on) as released_on
    from standing
    left join rates on standing.holder_id = rates.holder_id and standing.period_end = rates.period_end
    where standing.item <> 'total_official_reserve_assets'
    group by standing.holder_id, standing.period_end, standing.item
),

complete as (
    select
        holder_id,
        period_end,
        {{ exact_sum('usd_bn') }} as total_usd_bn
    from assets
    group by holder_id, period_end
    having count(usd_bn) = 5
),

treasuries as (
    select
        holder_id,
        period_end,
        holdings_usd_bn as usd_bn,
        released_on,
        dataset
    from {{ ref('fct_holdings') }}
    where status = 'published'
),

parts as (
    select
        assets.holder_id,
        assets.period_end,
        case
            when assets.item = 'fx_reserves' and treasuries.usd_bn is null then 'foreign_exchange_unsplit'
            when assets.item = 'fx_reserves' then 'other_foreign_exchange'
            when assets.item = 'imf_reserve_position' then 'imf_position'
            when assets.item = 'sdr_holdings' then 'sdr'
            else assets.item
        end as component,
        case
            when assets.item = 'fx_reserves' then assets.usd_bn - coalesce(treasuries.usd_bn, 0)
            else assets.usd_bn
        end as amount_usd_bn,
        assets.tonnes as gold_tonnes,
        assets.fine_oz as gold_fine_oz,
        assets.is_converted as is_converted_from_sdr,
        case
            when assets.item = 'fx_reserves' and treasuries.released_on > assets.released_on
                then treasuries.released_on
            else assets.released_on
        end as released_on,
        case
            when assets.item = 'fx_reserves' and treasuries.usd_bn is not null
                then 'safe/reserve_assets ' || treasuries.dataset
            else 'safe/reserve_assets'
        end as datasets,
        case
            when assets.item = 'gold' then 'At market value; its ounces tell what was bought'
            when assets.item = 'fx_reserves' and treasuries.usd_bn is null
                then 'Treasuries are not published for this month yet'
            when assets.item = 'fx_reserves'
                then 'A residual: all foreign exchange less the Treasuries of all residents'
        end as caveat
    from assets
    left join treasuries
        on assets.holder_id = treasuries.holder_id and assets.period_end = treasuries.period_end

    union all
    select
        assets.holder_id,
        assets.period_end,
        'treasuries' as component,
        treasuries.usd_bn as amount_usd_bn,
        cast(null as double precision) as gold_tonnes,
        cast(null as double precision) as gold_fine_oz,
        false as is_converted_from_sdr,
        treasuries.released_on,
        treasuries.dataset as datasets,
        'Counts what all residents hold with US custodians, banks too, so more than the reserves do;'
        || ' leaves out what they hold by way of custodians elsewhere' as caveat
    from assets
    inner join treasuries
        on assets.holder_id = treasuries.holder_id and assets.period_end = treasuries.period_end
    where assets.item = 'fx_reserves'
)

select
    parts.holder_id,
    holders.holder_name,
    parts.period_end,
    parts.component,
    parts.amount_usd_bn,
    parts.amount_usd_bn / complete.total_usd_bn as share_of_total_ratio,
    complete.total_usd_bn,
    parts.gold_tonnes,
    parts.gold_fine_oz,
    parts.is_converted_from_sdr,
    parts.period_end = max(parts.period_end) over (partition by parts.holder_id) as is_latest_month,
    parts.released_on,
    parts.datasets,
    parts.caveat
from parts
inner join complete on parts.holder_id = complete.holder_id and parts.period_end = complete.period_end
inner join {{ ref('holders') }} as holders on parts.holder_id = holders.holder_id
