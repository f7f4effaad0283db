-- Foreign holdings by maturity, and all foreign holders by official and private. Table 3 tells both parts of
-- each country since 2020; for other months the history and Table 5 tell those of official holders.

with table3 as (
    select
        holder_id,
        period_end,
        max(case when measure = 'holdings_total' then value_usd_bn end) as total_usd_bn,
        max(case when measure = 'holdings_long_term' then value_usd_bn end) as long_term_usd_bn,
        max(case when measure = 'holdings_short_term' then value_usd_bn end) as short_term_usd_bn,
        max(released_on) as released_on
    from ({{ latest(ref('stg_tic__slt_table3'), ['holder_id', 'period_end', 'measure']) }}) as standing
    where measure in ('holdings_total', 'holdings_long_term', 'holdings_short_term') and status <> 'deleted'
    group by holder_id, period_end
),

-- Bills and bonds of the rounded tables stand in lines of their own, beside the total they are part of.
other_tables as (
    select
        totals.holder_id,
        totals.period_end,
        totals.holdings_usd_bn as total_usd_bn,
        case when totals.holder_id = 'FOREIGN_OFFICIAL' then bonds.holdings_usd_bn end as long_term_usd_bn,
        case when totals.holder_id = 'FOREIGN_OFFICIAL' then bills.holdings_usd_bn end as short_term_usd_bn,
        totals.released_on,
        totals.dataset
    from {{ ref('fct_holdings') }} as totals
    left join {{ ref('fct_holdings') }} as bonds
        on totals.period_end = bonds.period_end and bonds.holder_id = 'FOREIGN_OFFICIAL_BONDS'
    left join {{ ref('fct_holdings') }} as bills
        on totals.period_end = bills.period_end and bills.holder_id = 'FOREIGN_OFFICIAL_BILLS'
    left join table3 on totals.holder_id = table3.holder_id and totals.period_end = table3.period_end
    where totals.holder_id in ('GRAND_TOTAL', 'FOREIGN_OFFICIAL') and table3.holder_id is null
),

by_maturity as (
    select
        table3.*,
        'tic/slt_table3' as dataset
    from table3

    union all
    select * from other_tables
),

official as (
    select
        period_end,
        total_usd_bn
    from by_maturity
    where holder_id = 'FOREIGN_OFFICIAL'
),

with_official as (
    select
        by_maturity.*,
        case when by_maturity.holder_id = 'GRAND_TOTAL' then official.total_usd_bn end as official_usd_bn
    from by_maturity
    left join official on by_maturity.period_end = official.period_end
)

select
    with_official.holder_id,
    holders.holder_name,
    holders.kind,
    with_official.period_end,
    with_official.total_usd_bn,
    with_official.long_term_usd_bn,
    with_official.short_term_usd_bn,
    with_official.short_term_usd_bn / nullif(with_official.total_usd_bn, 0) as short_term_share_ratio,
    with_official.official_usd_bn,
    round(with_official.total_usd_bn - with_official.official_usd_bn, 3) as non_official_usd_bn,
    with_official.official_usd_bn / nullif(with_official.total_usd_bn, 0) as official_share_ratio,
    case
        when
            with_official.total_usd_bn is not null
            and with_official.long_term_usd_bn is not null
            and with_official.short_term_usd_bn is not null
            then null
        when with_official.dataset = 'tic/slt_table3' then 'not available in Table 3'
        else 'by maturity told in Table 3 alone, which does not have this month'
    end as missing_because,
    with_official.period_end = max(with_official.period_end) over (
        partition by with_official.holder_id
    ) as is_latest_month,
    with_official.released_on,
    with_official.dataset
from with_official
inner join {{ ref('holders') }} as holders on with_official.holder_id = holders.holder_id
where
    holders.kind = 'country'
    or with_official.holder_id in ('GRAND_TOTAL', 'FOREIGN_OFFICIAL', 'FOREIGN_NON_OFFICIAL')
