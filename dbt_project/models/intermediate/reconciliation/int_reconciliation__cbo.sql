-- CBO's files: sums that must close, as each release stated them, and the same figure in two places. A
-- component that ends in _ex_gse or _timing_adjusted is another figure than the one without, and is never
-- compared with it. Every table is stated whole, but an outlook's file may leave a variable out or have it
-- under another name.

{%- set cell = ['label', 'period_end', 'measure'] %}
{%- set deficit = {'left': {'revenues_total': 1, 'outlays_total': -1}, 'right': {'deficit_total': 1}} %}
{%- set deficit_ex_gse = {
    'left': {'revenues_total': 1, 'outlays_total_ex_gse': -1}, 'right': {'deficit_total_ex_gse': 1}
} %}
{%- set discretionary = {
    'left': {'defense_discretionary': 1, 'nondefense_discretionary': 1}, 'right': {'discretionary_total': 1}
} %}
{%- set outlays = {
    'left': {'discretionary_total': 1, 'mandatory_total': 1, 'net_interest': 1}, 'right': {'outlays_total': 1}
} %}
{%- set outlays_ex_gse = {
    'left': {'discretionary_total': 1, 'mandatory_total_ex_gse': 1, 'net_interest': 1},
    'right': {'outlays_total_ex_gse': 1},
} %}
{%- set mandatory = {
    'left': {'mandatory_programmatic': 1, 'offsetting_receipts': 1}, 'right': {'mandatory_total': 1}
} %}

with baselines as (
    select
        'baseline of ' || cast(baseline_date as varchar(10)) as entity,
        component as item,
        baseline_date,
        period_end,
        value_usd_bn as amount,
        correction,
        released_on,
        superseded_on,
        'baselines' as block
    from (
        {{ vintages(ref('stg_cbo__baselines'), ['label', 'baseline_date', 'period_end', 'measure']) }}
    ) as vintages
),

actuals as (
    select
        '' as entity,
        component as item,
        period_end,
        value_usd_bn as amount,
        cast(null as varchar) as correction,
        released_on,
        superseded_on,
        'actuals' as block
    from ({{ vintages(ref('stg_cbo__actuals'), cell) }}) as vintages
),

ten_year_budget as (
    select
        '' as entity,
        component as item,
        period_end,
        is_actual,
        value_usd_bn as amount,
        cast(null as varchar) as correction,
        released_on,
        superseded_on,
        label as block
    from ({{ vintages(ref('stg_cbo__ten_year_budget'), cell) }}) as vintages
),

historical_budget as (
    select
        '' as entity,
        component || case when is_repetition then ' again' else '' end as item,
        period_end,
        value_usd_bn as amount,
        cast(null as varchar) as correction,
        released_on,
        superseded_on,
        'historical budget' as block
    from ({{ vintages(ref('stg_cbo__historical_budget'), cell) }}) as vintages
    where measure = 'amount'
),

baselines_close as (
    {{ sums_as_stated('baselines', {
        'cbo_baselines_parts': {
            'deficit_total_ex_gse': deficit_ex_gse,
            'discretionary_total': discretionary,
            'outlays_total_ex_gse': outlays_ex_gse,
        },
    }) }}
),

actuals_close as (
    {{ sums_as_stated('actuals', {
        'cbo_actuals_parts': {
            'deficit_total_ex_gse': deficit_ex_gse,
            'discretionary_total': discretionary,
            'outlays_total_ex_gse': outlays_ex_gse,
        },
    }) }}
),

ten_year_budget_closes as (
    {{ sums_as_stated('ten_year_budget', {
        'cbo_ten_year_budget_parts': {
            'deficit_total': deficit, 'discretionary_total': discretionary, 'outlays_total': outlays
        },
    }) }}
),

historical_budget_closes as (
    {{ sums_as_stated('historical_budget', {
        'cbo_historical_budget_parts': {
            'deficit_total': deficit,
            'discretionary_total': discretionary,
            'mandatory_total': mandatory,
            'outlays_total': outlays,
        },
        'cbo_historical_budget_tables': {
            'discretionary_total': {'left': {'discretionary_total': 1}, 'right': {'discretionary_total again': 1}},
            'offsetting_receipts': {'left': {'offsetting_receipts': 1}, 'right': {'offsetting_receipts again': 1}},
            'outlays_total': {'left': {'outlays_total': 1}, 'right': {'outlays_total again': 1}},
            'revenues_total': {'left': {'revenues_total': 1}, 'right': {'revenues_total again': 1}},
        },
    }) }}
),

-- An outlook and the baseline of its month, as the table of baselines stands today.
outlooks_and_baselines as (
    select
        'cbo_ten_year_budget_baselines' as check_id,
        ten_year_budget.item as entity,
        ten_year_budget.period_end,
        ten_year_budget.released_on,
        ten_year_budget.amount as left_value,
        baselines.amount as right_value,
        baselines.correction
    from ten_year_budget
    inner join baselines
        on
            ten_year_budget.item = baselines.item
            and ten_year_budget.period_end = baselines.period_end
            and extract(year from ten_year_budget.released_on) = extract(year from baselines.baseline_date)
            and extract(month from ten_year_budget.released_on) = extract(month from baselines.baseline_date)
    where
        baselines.superseded_on is null
        and (
            ten_year_budget.superseded_on is null
            or ten_year_budget.superseded_on > ten_year_budget.released_on
        )
),

-- What an outlook or the workbook says of years that were over, and the actuals as they stood on its day.
of_finished_years as (
    select
        'cbo_ten_year_budget_actuals' as check_id,
        item,
        period_end,
        amount,
        released_on,
        superseded_on
    from ten_year_budget
    where is_actual

    union all
    select
        'cbo_historical_budget_actuals' as check_id,
        item,
        period_end,
        amount,
        released_on,
        superseded_on
    from historical_budget
    where item <> 'revenues_total'
),

finished_years_and_actuals as (
    select
        of_finished_years.check_id,
        of_finished_years.item as entity,
        of_finished_years.period_end,
        of_finished_years.released_on,
        of_finished_years.amount as left_value,
        actuals.amount as right_value,
        actuals.correction
    from of_finished_years
    inner join actuals
        on
            of_finished_years.item = actuals.item
            and of_finished_years.period_end = actuals.period_end
            and of_finished_years.released_on >= actuals.released_on
            and (actuals.superseded_on is null or of_finished_years.released_on < actuals.superseded_on)
    where
        of_finished_years.superseded_on is null
        or of_finished_years.superseded_on > of_finished_years.released_on
),

compared as (
    select * from baselines_close
    union all
    select * from actuals_close
    union all
    select * from ten_year_budget_closes
    union all
    select * from historical_budget_closes
    union all
    select * from outlooks_and_baselines
    union all
    select * from finished_years_and_actuals
)

select *
from compared
where left_value is not null and right_value is not null
