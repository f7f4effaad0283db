-- China's balance of payments, reserve assets and investment position: sums that must close.

{%- set flow = ['label', 'frequency', 'period_end', 'measure'] %}
{%- set cell = ['label', 'period_end', 'measure'] %}

with flows as (
    select
        coalesce(item, label) as item,
        frequency,
        currency,
        period_end,
        coalesce(value_usd_bn, value_cny_bn, value_sdr_bn) as amount,
        correction,
        released_on,
        superseded_on,
        coalesce(item, label) || ', ' || frequency || ', ' || currency as block
    from ({{ vintages(ref('stg_safe__balance_of_payments'), flow) }}) as vintages
),

of_a_period as (
    select
        'CHN, ' || frequency || ', ' || currency as entity,
        item,
        period_end,
        amount,
        correction,
        released_on,
        superseded_on,
        block
    from flows
),

-- An item is the entity here, and its quarters and their year are what is summed.
of_a_year as (
    select
        'CHN, ' || item || ', ' || currency as entity,
        case
            when frequency = 'year' then 'year'
            else 'quarter ' || cast(cast(extract(quarter from period_end) as integer) as varchar(1))
        end as item,
        cast(
            cast(cast(extract(year from period_end) as integer) as varchar(4)) || '-12-31' as date
        ) as period_end,
        amount,
        correction,
        released_on,
        superseded_on,
        block
    from flows
),

-- A table is stated whole.
reserves as (
    select
        'CHN, ' || case measure when 'value_usd' then 'USD' else 'SDR' end as entity,
        item,
        period_end,
        coalesce(value_usd_bn, value_sdr_bn) as amount,
        cast(null as varchar) as correction,
        released_on,
        superseded_on,
        'reserve assets' as block
    from ({{ vintages(ref('stg_safe__reserve_assets'), cell) }}) as vintages
    where measure <> 'volume'
),

positions as (
    select
        'CHN' as entity,
        item,
        period_end,
        value_usd_bn as amount,
        cast(null as varchar) as correction,
        released_on,
        superseded_on,
        'investment position' as block
    from ({{ vintages(ref('stg_safe__investment_position'), cell) }}) as vintages
),

periods_close as (
    {{ sums_as_stated('of_a_period', {
        'bop_closes': {'': {
            'left': {'current_account': 1, 'capital_and_financial_account': 1},
            'right': {'net_errors_omissions': -1},
        }},
        'bop_goods_services': {'': {
            'left': {'goods_balance': 1, 'services_balance': 1},
            'right': {'goods_services_balance': 1},
        }},
        'bop_current_account': {'': {
            'left': {'goods_services_balance': 1, 'primary_income_balance': 1, 'secondary_income_balance': 1},
            'right': {'current_account': 1},
        }},
        'bop_current_account_four_parts': {'': {
            'left': {
                'goods_balance': 1,
                'services_balance': 1,
                'primary_income_balance': 1,
                'secondary_income_balance': 1,
            },
            'right': {'current_account': 1},
        }},
        'bop_current_account_sides': {'': {
            'left': {'current_account_credit': 1, 'current_account_debit': 1},
            'right': {'current_account': 1},
        }},
        'bop_capital_financial': {'': {
            'left': {'capital_account': 1, 'financial_account': 1},
            'right': {'capital_and_financial_account': 1},
        }},
        'bop_financial': {'': {
            'left': {'non_reserve_financial_account': 1, 'reserve_assets_change': 1},
            'right': {'financial_account': 1},
        }},
        'bop_non_reserve': {'': {
            'left': {
                'direct_investment': 1,
                'portfolio_investment': 1,
                'financial_derivatives': 1,
                'other_investment': 1,
            },
            'right': {'non_reserve_financial_account': 1},
        }},
    }) }}
),

years_close as (
    {{ sums_as_stated('of_a_year', {
        'bop_quarters_year': {'': {
            'left': {'quarter 1': 1, 'quarter 2': 1, 'quarter 3': 1, 'quarter 4': 1},
            'right': {'year': 1},
        }},
    }) }}
),

reserves_close as (
    {{ sums_as_stated('reserves', {
        'safe_reserve_assets_parts': {'': {
            'left': {
                'fx_reserves': 1,
                'imf_reserve_position': 1,
                'sdr_holdings': 1,
                'gold': 1,
                'other_reserve_assets': 1,
            },
            'right': {'total_official_reserve_assets': 1},
        }},
    }) }}
),

positions_close as (
    {{ sums_as_stated('positions', {
        'safe_investment_position_net': {'': {
            'left': {'assets': 1, 'liabilities': -1},
            'right': {'net': 1},
        }},
    }) }}
)

select * from periods_close
union all
select * from years_close
union all
select * from reserves_close
union all
select * from positions_close
