-- Every figure whose published value moved: what it was, what it became, when, and by which table.

with prints as (
    select
        prints.*,
        lag(value) over history as previous_value,
        lag(status) over history as previous_status,
        lag(released_on) over history as previous_released_on,
        lag(dataset) over history as previous_dataset,
        lag(archive_sha256) over history as previous_archive_sha256,
        first_value(value) over history as first_value,
        first_value(released_on) over history as first_released_on,
        first_value(archive_sha256) over history as first_archive_sha256
    from {{ ref('int_revisions__prints') }} as prints
    window history as (
        partition by series, cell, comparable, measure, period_end order by print_order
    )
)

select
    prints.series,
    prints.cell,
    prints.holder_id,
    holders.holder_name,
    holders.kind,
    prints.measure,
    prints.period_end,
    prints.released_on,
    prints.print_order as version,
    prints.value,
    prints.unit,
    prints.status,
    prints.previous_value,
    prints.previous_status,
    prints.previous_released_on,
    round(prints.value - prints.previous_value, 6) as revision,
    round((prints.value - prints.previous_value) * units.factor, 6) as revision_usd_bn,
    case
        when prints.previous_value <> 0
            then round(100 * (prints.value - prints.previous_value) / abs(prints.previous_value), 3)
    end as revision_pct,
    prints.first_value,
    prints.first_released_on,
    round(prints.value - prints.first_value, 6) as revision_since_first_print,
    {{ month_number('prints.released_on') }} - {{ month_number('prints.period_end') }} as age_months,
    prints.dataset,
    prints.previous_dataset,
    prints.evidence,
    prints.reissue,
    prints.archive_sha256,
    prints.previous_archive_sha256,
    prints.first_archive_sha256
from prints
left join {{ ref('holders') }} as holders on prints.holder_id = holders.holder_id
left join {{ ref('claim_units') }} as units on prints.unit = units.unit and units.dimension = 'usd'
where
    prints.previous_released_on is not null
    -- The same figure in finer or coarser rounding is no revision.
    and not (
        prints.status = 'published' and prints.previous_status = 'published'
        and (
            prints.value = prints.previous_value
            or case
                when prints.series = 'treasury_holdings'
                    then
                        (prints.dataset = 'tic/slt_table3' or prints.previous_dataset = 'tic/slt_table3')
                        and prints.dataset <> prints.previous_dataset
                        and abs(prints.value - prints.previous_value) <= 0.0501
                else {{ is_same_rounded('prints.value', 'prints.previous_value') }}
            end
        )
    )
