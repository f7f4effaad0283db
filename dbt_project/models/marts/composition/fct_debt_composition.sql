-- Who owns the federal debt at the end of each month: five parts that make up the total.
-- A month stands here once all of its parts are told, and no part is guessed.

with debt_by_day as (
    select
        period_end as measured_on,
        {{ month_number('period_end') }} as month_number,
        max(case when component = 'total' then value_usd_bn end) as total_usd_bn,
        max(case when component = 'held_by_public' then value_usd_bn end) as held_by_public_usd_bn,
        max(case when component = 'intragovernmental' then value_usd_bn end) as intragovernmental_usd_bn,
        max(released_on) as released_on
    from ({{ latest(ref('stg_fiscaldata__debt_to_penny'), ['label', 'period_end', 'measure']) }}) as standing
    group by period_end
),

debt as (
    select
        debt_by_day.*,
        row_number() over (partition by month_number order by measured_on desc) as from_month_end
    from debt_by_day
    where total_usd_bn is not null
),

federal_reserve as (
    select
        period_end as measured_on,
        {{ month_number('period_end') }} as month_number,
        value_usd_bn,
        released_on,
        row_number() over (
            partition by {{ month_number('period_end') }} order by period_end desc
        ) as from_month_end
    from ({{ latest(ref('stg_fed__treast'), ['label', 'period_end', 'measure']) }}) as standing
    where value_usd_bn is not null
),

foreign_holders as (
    select
        period_end,
        {{ month_number('period_end') }} as month_number,
        max(case when holder_id = 'GRAND_TOTAL' then holdings_usd_bn end) as total_usd_bn,
        max(case when holder_id = 'FOREIGN_OFFICIAL' then holdings_usd_bn end) as official_usd_bn,
        max(released_on) as released_on
    from {{ ref('fct_holdings') }}
    where holder_id in ('GRAND_TOTAL', 'FOREIGN_OFFICIAL')
    group by period_end
),

-- A month's last business day is three days before its end at the earliest (a weekend and Memorial Day), its
-- last Wednesday six. Whatever ends sooner is of a month under way.
months as (
    select
        foreign_holders.period_end,
        debt.measured_on as debt_measured_on,
        federal_reserve.measured_on as federal_reserve_measured_on,
        debt.total_usd_bn,
        federal_reserve.value_usd_bn as federal_reserve_usd_bn,
        foreign_holders.official_usd_bn as foreign_official_usd_bn,
        foreign_holders.total_usd_bn - foreign_holders.official_usd_bn as foreign_private_usd_bn,
        debt.intragovernmental_usd_bn,
        debt.held_by_public_usd_bn - federal_reserve.value_usd_bn
        - foreign_holders.total_usd_bn as other_domestic_usd_bn,
        debt.released_on as debt_released_on,
        federal_reserve.released_on as federal_reserve_released_on,
        foreign_holders.released_on as foreign_released_on
    from foreign_holders
    inner join debt
        on
            foreign_holders.month_number = debt.month_number
            and debt.from_month_end = 1
            and extract(day from foreign_holders.period_end) - extract(day from debt.measured_on) <= 3
    inner join federal_reserve
        on
            foreign_holders.month_number = federal_reserve.month_number
            and federal_reserve.from_month_end = 1
            and extract(day from foreign_holders.period_end) - extract(day from federal_reserve.measured_on)
            <= 6
    where
        foreign_holders.total_usd_bn is not null
        and foreign_holders.official_usd_bn is not null
        and debt.held_by_public_usd_bn is not null
        and debt.intragovernmental_usd_bn is not null
),

parts as (
    select
        period_end,
        'federal_reserve' as component,
        federal_reserve_usd_bn as amount_usd_bn,
        total_usd_bn,
        false as is_foreign,
        false as is_residual,
        federal_reserve_measured_on as measured_on,
        federal_reserve_released_on as released_on,
        'fed/treast' as datasets,
        'Face value, on the last Wednesday of the month' as caveat
    from months

    union all
    select
        period_end,
        'foreign_official' as component,
        foreign_official_usd_bn as amount_usd_bn,
        total_usd_bn,
        true as is_foreign,
        false as is_residual,
        period_end as measured_on,
        foreign_released_on as released_on,
        'tic' as datasets,
        'Market value, by custodian; official as far as the custodian knows' as caveat
    from months

    union all
    select
        period_end,
        'foreign_private' as component,
        foreign_private_usd_bn as amount_usd_bn,
        total_usd_bn,
        true as is_foreign,
        false as is_residual,
        period_end as measured_on,
        foreign_released_on as released_on,
        'tic' as datasets,
        'Market value, by custodian; everyone foreign who is not official, international organizations too'
            as caveat
    from months

    union all
    select
        period_end,
        'intragovernmental' as component,
        intragovernmental_usd_bn as amount_usd_bn,
        total_usd_bn,
        false as is_foreign,
        false as is_residual,
        debt_measured_on as measured_on,
        debt_released_on as released_on,
        'fiscaldata/debt_to_penny' as datasets,
        'Face value: what the government owes to its own funds, Social Security above all' as caveat
    from months

    union all
    select
        period_end,
        'other_domestic' as component,
        other_domestic_usd_bn as amount_usd_bn,
        total_usd_bn,
        false as is_foreign,
        true as is_residual,
        debt_measured_on as measured_on,
        greatest(debt_released_on, federal_reserve_released_on, foreign_released_on) as released_on,
        'fiscaldata/debt_to_penny fed/treast tic' as datasets,
        'A residual: debt held by the public less the Federal Reserve and foreigners. It takes in the gaps'
        || ' between market and face value and between the days, and what custodians misplace' as caveat
    from months
)

select
    period_end,
    component,
    amount_usd_bn,
    amount_usd_bn / total_usd_bn as share_of_total_ratio,
    total_usd_bn as total_debt_usd_bn,
    is_foreign,
    is_residual,
    period_end = max(period_end) over () as is_latest_month,
    measured_on,
    released_on,
    datasets,
    caveat
from parts
