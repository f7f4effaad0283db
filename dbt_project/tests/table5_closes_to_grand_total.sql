-- Countries and All Other sum to Grand Total in every month of every release of Table 5 as it was printed.
-- Tolerance 0.4: 22 figures rounded to 0.1 on their own err by 0.135 together (one standard deviation).
-- Differences are stored, so a month is summed only where its release printed every row of it.
with printed as (
    select
        released_on,
        reissue,
        period_end,
        count(*) as cells,
        sum(case
            when holder_id = 'GRAND_TOTAL' then -value_usd_bn
            when holder_id like 'FOREIGN_OFFICIAL%' then 0
            else value_usd_bn
        end) as gap_usd_bn
    from {{ ref('stg_tic__slt_table5') }}
    group by released_on, reissue, period_end
)

select * from printed
where cells = 25 and abs(gap_usd_bn) > 0.4001
