-- The sum over all holders is a little less than the World Gold Council's own world total, never more: by
-- 0.7 to 1.6 % in the 64 quarters of the workbook of March 2016, which says that its world may not sum to its
-- holders. More than 2 % means that holders are missing, more than nothing that some are counted twice. A new
-- edition may move either figure: reported, not stopped.
{{ config(severity='warn') }}

select
    period,
    gold_tonnes,
    wgc_world_tonnes,
    gap_to_wgc_world_ratio
from {{ ref('fct_gold_vs_treasuries') }}
where gap_to_wgc_world_ratio not between -0.02 and 0
