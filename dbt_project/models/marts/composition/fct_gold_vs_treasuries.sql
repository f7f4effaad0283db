-- Official gold worldwide against the Treasuries that foreigners hold, by quarter and perimeter: with or
-- without the United States, the IMF, the ECB and the BIS.

{%- set fine_oz_a_tonne = 32150.7466 %}

with world as (
    select
        period_end,
        tonnes
    from {{ ref('mart_gold_quarterly') }}
    where holder_id = 'WLD'
),

prices as (
    select
        period_end,
        usd_per_fine_oz
    from ({{ latest(ref('stg_worldbank__gold_price'), ['label', 'period_end', 'measure']) }}) as standing
    where status = 'published'
),

treasuries as (
    select
        period_end,
        max(case when holder_id = 'GRAND_TOTAL' then holdings_usd_bn end) as foreign_usd_bn,
        max(case when holder_id = 'FOREIGN_OFFICIAL' then holdings_usd_bn end) as official_usd_bn
    from {{ ref('fct_holdings') }}
    where status = 'published'
    group by period_end
),

-- A sum that should hold the IMF's gold and does not is none: it is NULL, and says who is missing.
valued as (
    select
        gold.*,
        prices.usd_per_fine_oz,
        treasuries.foreign_usd_bn,
        treasuries.official_usd_bn,
        case when gold.missing_holders is null then gold.tonnes end as gold_tonnes,
        case
            when gold.missing_holders is null
                then gold.tonnes * {{ fine_oz_a_tonne }} * prices.usd_per_fine_oz / 1000000000
        end as gold_usd_bn,
        case
            when gold.includes_usa and gold.includes_imf and gold.includes_ecb and gold.includes_bis
                then world.tonnes
        end as wgc_world_tonnes
    from {{ ref('int_gold_quarterly__summed') }} as gold
    left join prices on gold.period_end = prices.period_end
    left join treasuries on gold.period_end = treasuries.period_end
    left join world on gold.period_end = world.period_end
)

select
    period,
    period_end,
    includes_usa,
    includes_imf,
    includes_ecb,
    includes_bis,
    gold_tonnes,
    gold_usd_bn,
    usd_per_fine_oz as gold_price_usd_per_fine_oz,
    'no figure of ' || replace(missing_holders, ' ', ', ') as gold_missing_because,
    cast(holders as integer) as holders,
    cast(holders - holders_carried_forward as integer) as holders_reporting,
    cast(holders_carried_forward as integer) as holders_carried_forward,
    carried_tonnes as carried_forward_tonnes,
    cast(holders_entered as integer) as holders_entered,
    entered_tonnes,
    cast(holders_left as integer) as holders_left,
    left_tonnes,
    foreign_usd_bn as treasuries_foreign_usd_bn,
    official_usd_bn as treasuries_foreign_official_usd_bn,
    gold_usd_bn / foreign_usd_bn as gold_to_treasuries_ratio,
    gold_usd_bn / official_usd_bn as gold_to_official_treasuries_ratio,
    wgc_world_tonnes,
    gold_tonnes - wgc_world_tonnes as gap_to_wgc_world_tonnes,
    gold_tonnes / wgc_world_tonnes - 1 as gap_to_wgc_world_ratio,
    period_end = max(period_end) over () as is_latest_quarter,
    made_of
from valued
