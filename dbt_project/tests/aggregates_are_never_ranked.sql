select
    holder_id,
    period_end,
    holder_rank
from {{ ref('fct_holding_changes') }}
where (kind = 'aggregate' and holder_rank is not null) or (kind = 'country' and holder_rank is null)
