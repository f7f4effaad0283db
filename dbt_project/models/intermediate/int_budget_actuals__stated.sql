with stated as (
    select
        component,
        fiscal_year,
        period_end,
        value_usd_bn,
        status,
        dataset,
        released_on,
        reissue,
        archive_sha256,
        line
    from {{ ref('stg_cbo__actuals') }}

    union all

    select
        component,
        fiscal_year,
        period_end,
        value_usd_bn,
        status,
        dataset,
        released_on,
        reissue,
        archive_sha256,
        line
    from {{ ref('stg_cbo__historical_budget') }}
    where measure = 'amount' and not is_repetition

    union all

    select
        component,
        fiscal_year,
        period_end,
        value_usd_bn,
        status,
        dataset,
        released_on,
        reissue,
        archive_sha256,
        line
    from {{ ref('stg_cbo__ten_year_budget') }}
    where is_actual

    union all

    select
        component,
        fiscal_year,
        period_end,
        value_usd_bn,
        status,
        dataset,
        released_on,
        reissue,
        archive_sha256,
        line
    from {{ ref('stg_cbo__actual_gdp') }}

    union all

    select
        component,
        fiscal_year,
        period_end,
        value_usd_bn,
        status,
        dataset,
        released_on,
        reissue,
        archive_sha256,
        line
    from {{ ref('stg_cbo__economic_projections') }}
    where is_actual
)

select
    component,
    fiscal_year,
    period_end,
    value_usd_bn,
    status,
    dataset,
    released_on,
    reissue,
    archive_sha256,
    line
from stated
