select
    'safe/balance_of_payments' as dataset,
    label,
    case label
        when '1 经常账户' then 'current_account'
        when '1 经常账户 / 贷方' then 'current_account_credit'
        when '1 经常账户 / 借方' then 'current_account_debit'
        when '1.A 货物和服务' then 'goods_services_balance'
        when '1.A.a 货物' then 'goods_balance'
        when '1.A.b 服务' then 'services_balance'
        when '1.B 初次收入' then 'primary_income_balance'
        when '1.C 二次收入' then 'secondary_income_balance'
        when '2 资本和金融账户' then 'capital_and_financial_account'
        when '2.1 资本账户' then 'capital_account'
        when '2.2 金融账户' then 'financial_account'
        when '2.2.1 非储备性质的金融账户' then 'non_reserve_financial_account'
        when '2.2.1.1 直接投资' then 'direct_investment'
        when '2.2.1.2 证券投资' then 'portfolio_investment'
        when '2.2.1.3 金融衍生工具' then 'financial_derivatives'
        when '2.2.1.4 其他投资' then 'other_investment'
        when '2.2.2 储备资产' then 'reserve_assets_change'
        when '2.2.2.1 货币黄金' then 'reserve_gold_change'
        when '2.2.2.4 外汇储备' then 'reserve_fx_change'
        when '3 净误差与遗漏' then 'net_errors_omissions'
    end as item,
    frequency,
    period_end,
    measure,
    case measure
        when 'flow_usd' then 'USD'
        when 'flow_cny' then 'CNY'
        when 'flow_sdr' then 'SDR'
    end as currency,
    case when measure = 'flow_usd' then {{ hundred_million_to_bn('value') }} end as value_usd_bn,
    case when measure = 'flow_cny' then {{ hundred_million_to_bn('value') }} end as value_cny_bn,
    case when measure = 'flow_sdr' then {{ hundred_million_to_bn('value') }} end as value_sdr_bn,
    status,
    released_on,
    reissue,
    archive_sha256,
    line,
    correction
from {{ corrected('safe/balance_of_payments', ['label', 'frequency']) }} as published
