-- China's gold at the ends of months that both SAFE and the World Gold Council tell, as both stand today.
-- Where several of the Council's tables tell a month, the one released last does.

with safe as (
    {{ latest(ref('stg_safe__reserve_assets'), ['label', 'period_end', 'measure']) }}
),

council as (
    select
        period_end,
        tonnes,
        released_on,
        row_number() over (
            partition by period_end order by released_on desc, reissue desc, dataset asc
        ) as newest
    from {{ ref('int_gold_holdings__stated') }}
    where holder_id = 'CHN' and is_month_exact
)

select
    'safe_wgc_gold' as check_id,
    'CHN' as entity,
    safe.period_end,
    case
        when safe.released_on >= council.released_on then safe.released_on else council.released_on
    end as released_on,
    safe.value_tonnes as left_value,
    council.tonnes as right_value,
    cast(null as varchar) as correction
from safe
inner join council on safe.period_end = council.period_end and council.newest = 1
where safe.value_tonnes is not null and council.tonnes is not null
