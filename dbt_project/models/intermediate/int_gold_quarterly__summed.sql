-- Official gold summed by quarter and perimeter, and who is in the sum: who told the quarter, whose older
-- figure stands in, who is new to it, who left it, and which holder of the perimeter is missing.

with gold as (
    select
        quarterly.*,
        {{ month_number('period_end') }} as month_number
    from {{ ref('mart_gold_quarterly') }} as quarterly
    where is_counted_in_sums
),

yes_or_no as (
    select true as answer
    union all
    select false as answer
),

perimeters as (
    select
        usa.answer as includes_usa,
        imf.answer as includes_imf,
        ecb.answer as includes_ecb,
        bis.answer as includes_bis
    from yes_or_no as usa
    cross join yes_or_no as imf
    cross join yes_or_no as ecb
    cross join yes_or_no as bis
),

-- Who stands in a quarter, and who stood in the one before and does no more (tonnes of then).
moves as (
    select
        gold.month_number,
        gold.holder_id,
        gold.tonnes,
        gold.is_carried_forward,
        earlier.holder_id is null as is_entered,
        false as is_left
    from gold
    left join gold as earlier
        on gold.holder_id = earlier.holder_id and gold.month_number = earlier.month_number + 3

    union all
    select
        earlier.month_number + 3 as month_number,
        earlier.holder_id,
        earlier.tonnes,
        false as is_carried_forward,
        false as is_entered,
        true as is_left
    from gold as earlier
    left join gold
        on earlier.holder_id = gold.holder_id and earlier.month_number + 3 = gold.month_number
    where gold.holder_id is null
),

quarters as (
    select distinct
        period,
        period_end,
        month_number,
        min(month_number) over () as first_month_number
    from gold
),

summed as (
    select
        quarters.period,
        quarters.period_end,
        quarters.month_number,
        quarters.first_month_number,
        perimeters.includes_usa,
        perimeters.includes_imf,
        perimeters.includes_ecb,
        perimeters.includes_bis,
        max(case when moves.holder_id = 'USA' and not moves.is_left then 1 else 0 end) as has_usa,
        max(case when moves.holder_id = 'IMF' and not moves.is_left then 1 else 0 end) as has_imf,
        max(case when moves.holder_id = 'ECB' and not moves.is_left then 1 else 0 end) as has_ecb,
        max(case when moves.holder_id = 'BIS' and not moves.is_left then 1 else 0 end) as has_bis,
        {{ exact_sum('case when not moves.is_left then moves.tonnes end') }} as tonnes,
        {{ exact_sum('case when moves.is_carried_forward then moves.tonnes else 0 end') }} as carried_tonnes,
        {{ exact_sum('case when moves.is_entered then moves.tonnes else 0 end') }} as entered_tonnes,
        {{ exact_sum('case when moves.is_left then moves.tonnes else 0 end') }} as left_tonnes,
        sum(case when moves.is_left then 0 else 1 end) as holders,
        sum(case when moves.is_carried_forward then 1 else 0 end) as holders_carried_forward,
        sum(case when moves.is_entered then 1 else 0 end) as holders_entered,
        sum(case when moves.is_left then 1 else 0 end) as holders_left
    from quarters
    cross join perimeters
    inner join moves
        on
            quarters.month_number = moves.month_number
            and (perimeters.includes_usa or moves.holder_id <> 'USA')
            and (perimeters.includes_imf or moves.holder_id <> 'IMF')
            and (perimeters.includes_ecb or moves.holder_id <> 'ECB')
            and (perimeters.includes_bis or moves.holder_id <> 'BIS')
    group by
        quarters.period,
        quarters.period_end,
        quarters.month_number,
        quarters.first_month_number,
        perimeters.includes_usa,
        perimeters.includes_imf,
        perimeters.includes_ecb,
        perimeters.includes_bis
),

files_of_holders as (
    select distinct
        {{ month_number('period_end') }} as month_number,
        dataset || ':' || archive_sha256 as dataset_and_file
    from {{ ref('mart_gold_quarterly') }}
    where is_counted_in_sums or holder_id = 'WLD'
),

-- Who left is told by the files of the quarter before.
files_of_quarters as (
    select distinct
        quarters.month_number,
        files_of_holders.dataset_and_file
    from quarters
    inner join files_of_holders
        on quarters.month_number - files_of_holders.month_number in (0, 3)
),

files as (
    select
        month_number,
        {{ joined_in_order('dataset_and_file') }} as made_of
    from files_of_quarters
    group by month_number
)

select
    summed.period,
    summed.period_end,
    summed.includes_usa,
    summed.includes_imf,
    summed.includes_ecb,
    summed.includes_bis,
    summed.tonnes,
    nullif(
        trim(
            case when summed.includes_usa and summed.has_usa = 0 then 'USA ' else '' end
            || case when summed.includes_imf and summed.has_imf = 0 then 'IMF ' else '' end
            || case when summed.includes_ecb and summed.has_ecb = 0 then 'ECB ' else '' end
            || case when summed.includes_bis and summed.has_bis = 0 then 'BIS ' else '' end
        ),
        ''
    ) as missing_holders,
    summed.holders,
    summed.holders_carried_forward,
    summed.carried_tonnes,
    -- In the first quarter everyone is new, which tells nothing.
    case when summed.month_number > summed.first_month_number then summed.holders_entered end
        as holders_entered,
    case when summed.month_number > summed.first_month_number then summed.entered_tonnes end
        as entered_tonnes,
    summed.holders_left,
    summed.left_tonnes,
    files.made_of
from summed
inner join files on summed.month_number = files.month_number
