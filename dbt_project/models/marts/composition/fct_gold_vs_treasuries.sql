-- Official gold worldwide against the Treasuries that foreigners hold, by quarter and perimeter: with or without the
-- United States, the IMF, the ECB and the BIS.

{%- set optional_holders = ['USA', 'IMF', 'ECB', 'BIS'] %}

with gold as (
    select
        quarterly.*,
        {{ month_number('period_end') }} as month_number
    from {{ ref('mart_gold_quarterly') }} as quarterly
    where is_counted_in_sums
),

quarters as (
    select distinct
        quarter,
        period_end,
        month_number
    from gold
),

yes_or_no as (
    select true as answer
    union all
    select false as answer
),

perimeters as (
    select
        quarters.*,
        {%- for holder in optional_holders %}
        {{ holder | lower }}.answer as includes_{{ holder | lower }}{{ ',' if not loop.last }}
        {%- endfor %}
    from quarters
    {%- for holder in optional_holders %}
    cross join yes_or_no as {{ holder | lower }}
    {%- endfor %}
),

-- Who stands in a quarter, and who stood in the one before and does no more (tonnes of then).
moves as (
    select
        gold.month_number,
        gold.holder_id,
        gold.tonnes,
        gold.is_carried_forward,
        before.holder_id is null as is_entered,
        false as is_left
    from gold
    left join gold as before
        on gold.holder_id = before.holder_id and gold.month_number = before.month_number + 3

    union all
    select
        before.month_number + 3 as month_number,
        before.holder_id,
        before.tonnes,
        false as is_carried_forward,
        false as is_entered,
        true as is_left
    from gold as before
    left join gold
        on before.holder_id = gold.holder_id and before.month_number + 3 = gold.month_number
    where gold.holder_id is null
),

first_quarter as (
    select min(month_number) as month_number from quarters
),

sums as (
    select
        perimeters.quarter,
        perimeters.period_end,
        perimeters.month_number,
        {%- for holder in optional_holders %}
        perimeters.includes_{{ holder | lower }},
        max(case when moves.holder_id = '{{ holder }}' and not moves.is_left then 1 else 0 end)
            as has_{{ holder | lower }},
        {%- endfor %}
        {{ exact_sum('case when not moves.is_left then moves.tonnes end') }} as tonnes,
        {{ exact_sum('case when moves.is_carried_forward then moves.tonnes else 0 end') }} as carried_forward_tonnes,
        {{ exact_sum('case when moves.is_entered then moves.tonnes else 0 end') }} as entered_tonnes,
        {{ exact_sum('case when moves.is_left then moves.tonnes else 0 end') }} as left_tonnes,
        count(case when not moves.is_left then 1 end) as holders,
        count(case when not moves.is_left and not moves.is_carried_forward then 1 end) as holders_reporting,
        count(case when moves.is_carried_forward then 1 end) as holders_carried_forward,
        count(case when moves.is_entered then 1 end) as holders_entered,
        count(case when moves.is_left then 1 end) as holders_left
    from perimeters
    inner join moves
        on
            perimeters.month_number = moves.month_number
            {%- for holder in optional_holders %}
            and (perimeters.includes_{{ holder | lower }} or moves.holder_id <> '{{ holder }}')
            {%- endfor %}
    group by
        perimeters.quarter,
        perimeters.period_end,
        perimeters.month_number
        {%- for holder in optional_holders %},
        perimeters.includes_{{ holder | lower }}
        {%- endfor %}
),

-- A sum that should hold the IMF's gold and does not is none: it is NULL, and this says who is missing.
named as (
    select
        sums.*,
        trim(
            {%- for holder in optional_holders %}
            case when includes_{{ holder | lower }} and has_{{ holder | lower }} = 0 then '{{ holder }} ' else '' end
            {{- ' ||' if not loop.last }}
            {%- endfor %}
        ) as missing_holders
    from sums
),

world as (
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

files_of_holders as (
    select distinct
        {{ month_number('period_end') }} as month_number,
        dataset || ':' || archive_sha256 as file
    from {{ ref('mart_gold_quarterly') }}
    where is_counted_in_sums or holder_id = 'WLD'
),

-- Who left is told by the files of the quarter before.
files_of_quarters as (
    select distinct
        quarters.month_number,
        files_of_holders.file
    from quarters
    inner join files_of_holders
        on quarters.month_number - files_of_holders.month_number in (0, 3)
),

files as (
    select
        month_number,
        {{ dbt.listagg('file', "' '", 'order by file') }} as made_of
    from files_of_quarters
    group by month_number
),

valued as (
    select
        named.*,
        case when named.missing_holders = '' then named.tonnes end as gold_tonnes,
        case when named.missing_holders = '' then named.tonnes * 32150.7466 * prices.usd_per_fine_oz / 1000000000 end
            as gold_usd_bn,
        prices.usd_per_fine_oz as gold_price_usd_per_fine_oz,
        treasuries.foreign_usd_bn as treasuries_foreign_usd_bn,
        treasuries.official_usd_bn as treasuries_foreign_official_usd_bn,
        case
            when named.includes_usa and named.includes_imf and named.includes_ecb and named.includes_bis
                then world.tonnes
        end
            as wgc_world_tonnes,
        files.made_of
    from named
    inner join files on named.month_number = files.month_number
    left join prices on named.period_end = prices.period_end
    left join treasuries on named.period_end = treasuries.period_end
    left join world on named.period_end = world.period_end
)

select
    valued.quarter,
    valued.period_end,
    valued.includes_usa,
    valued.includes_imf,
    valued.includes_ecb,
    valued.includes_bis,
    valued.gold_tonnes,
    valued.gold_usd_bn,
    valued.gold_price_usd_per_fine_oz,
    case
        when valued.missing_holders <> '' then 'no figure of ' || replace(valued.missing_holders, ' ', ', ')
    end as gold_missing_because,
    cast(valued.holders as integer) as holders,
    cast(valued.holders_reporting as integer) as holders_reporting,
    cast(valued.holders_carried_forward as integer) as holders_carried_forward,
    valued.carried_forward_tonnes,
    case when valued.month_number > first_quarter.month_number then cast(valued.holders_entered as integer) end
        as holders_entered,
    case when valued.month_number > first_quarter.month_number then valued.entered_tonnes end as entered_tonnes,
    cast(valued.holders_left as integer) as holders_left,
    valued.left_tonnes,
    valued.treasuries_foreign_usd_bn,
    valued.treasuries_foreign_official_usd_bn,
    valued.gold_usd_bn / valued.treasuries_foreign_usd_bn as gold_to_treasuries_ratio,
    valued.gold_usd_bn / valued.treasuries_foreign_official_usd_bn as gold_to_official_treasuries_ratio,
    valued.wgc_world_tonnes,
    valued.gold_tonnes - valued.wgc_world_tonnes as gap_to_wgc_world_tonnes,
    valued.gold_tonnes / valued.wgc_world_tonnes - 1 as gap_to_wgc_world_ratio,
    valued.period_end = max(valued.period_end) over () as is_latest_quarter,
    valued.made_of
from valued
cross join first_quarter
