{#-
    The query that a reader can run to see a verdict's figure, as text: its column `measured` is the value. @
    stands for fct_series, today's figures, or fct_series_as_of(day). Names in it were looked up before, so that
    nothing of a statement's own text gets into the SQL but periods and numbers that were read as such.
-#}
{% macro claim_query() -%}
    {%- set of_all -%} 'series = ''' || series || ''' and frequency = ''' || frequency || '''' {%- endset -%}
    {%- set of_own -%} {{ of_all }} || ' and entity = ''' || entity || '''' {%- endset -%}
    {%- set end_day -%} 'date ''' || cast(end_period as varchar(10)) || '''' {%- endset -%}
    {%- set start_day -%} 'date ''' || cast(start_period as varchar(10)) || '''' {%- endset -%}
    {%- set at_end -%} 'max(case when period_end = ' || {{ end_day }} || ' then value end)' {%- endset -%}
    {%- set at_start -%} 'max(case when period_end = ' || {{ start_day }} || ' then value end)' {%- endset -%}
    {%- set of_both -%} ' from @ where ' || {{ of_own }} || ' and period_end in (' || {{ start_day }} || ', ' || {{ end_day }} || ')' {%- endset -%}
    {%- set since -%}
        case when start_period is not null then ' and period_end >= ' || {{ start_day }} else '' end
    {%- endset -%}
    {%- set all_changes -%}
        'with changes as (select entity, ' || {{ at_end }} || ' - ' || {{ at_start }} || ' as change from @ where '
        || {{ of_all }} || ' and entity_kind = ''country'' and period_end in (' || {{ start_day }} || ', '
        || {{ end_day }} || ') group by entity having count(value) = 2 and min(segment) = max(segment)) '
    {%- endset -%}
    {%- set other -%}
        '(select value from @ where series = ''' || other_series || ''' and entity = ''' || other_entity
        || ''' and frequency = ''' || frequency || ''' and period_end = ' || {{ end_day }} || ')'
    {%- endset -%}
    {%- set steps -%}
        '(select period_end, value > lag(value) over (order by period_end) and segment = lag(segment) over '
        || '(order by period_end) as rose from @ where ' || {{ of_own }} || ' and period_end <= ' || {{ end_day }}
        || case
            when unit = 'quarters' and frequency = 'month' then ' and extract(month from period_end) in (3, 6, 9, 12)'
            when unit = 'years' and frequency = 'month' then ' and extract(month from period_end) = 12'
            else ''
        end || ') as steps'
    {%- endset -%}
    case measure
        when 'level' then
            'select value as measured, released_on, dataset from @ where ' || {{ of_own }} || ' and period_end = '
            || {{ end_day }}
        when 'change' then 'select ' || {{ at_end }} || ' - ' || {{ at_start }} || ' as measured' || {{ of_both }}
        when 'change_pct' then
            'select 100 * (' || {{ at_end }} || ' / ' || {{ at_start }} || ' - 1) as measured' || {{ of_both }}
        when 'ratio' then case
            when other_series in ('', 'at_least', 'at_most', 'above', 'below')
                then 'select ' || case when unit_dimension = 'pct' then '100 * ' else '' end
                    || {{ at_end }} || ' / ' || {{ at_start }} || ' as measured' || {{ of_both }}
            else 'select ' || case when unit_dimension = 'pct' then '100 * ' else '' end
                || 'value / ' || {{ other }} || ' as measured from @ where ' || {{ of_own }}
                || ' and period_end = ' || {{ end_day }}
        end
        when 'exceeds' then
            'select case when value > ' || {{ other }} || ' then 1 else 0 end as measured from @ where '
            || {{ of_own }} || ' and period_end = ' || {{ end_day }}
        when 'peak' then
            'select max(value) as measured from @ where ' || {{ of_own }} || ' and period_end <= ' || {{ end_day }}
            || {{ since }} || ' and segment = (select segment from @ where ' || {{ of_own }} || ' and period_end = '
            || {{ end_day }} || ')'
        when 'change_since_peak' then
            'select ' || {{ at_end }} || ' - max(value) as measured from @ where ' || {{ of_own }}
            || ' and period_end <= ' || {{ end_day }} || {{ since }} || ' and segment = (select segment from @ where '
            || {{ of_own }} || ' and period_end = ' || {{ end_day }} || ')'
        when 'rank' then
            'select 1 + count(*) as measured from @ where ' || {{ of_all }} || ' and entity_kind = ''country'' '
            || 'and period_end = ' || {{ end_day }} || ' and value > (select value from @ where ' || {{ of_own }}
            || ' and period_end = ' || {{ end_day }} || ')'
        when 'rank_of_change' then
            {{ all_changes }} || 'select 1 + count(*) as measured from changes inner join (select change as own from '
            || 'changes where entity = ''' || entity || ''') as mine on case when own >= 0 then change > own '
            || '+ 0.0000001 else change < own - 0.0000001 end'
        when 'count_decreases' then
            {{ all_changes }} || 'select count(*) as measured from changes where change < -0.0000001'
        when 'count_increase_months' then
            'select count(*) as measured from ' || {{ steps }} || ' where rose and period_end >= date '''
            || cast({{ first_day_counted() | replace('claims_read.', '') }} as varchar(10)) || ''''
        when 'streak_up' then
            'select count(*) as measured from ' || {{ steps }} || ' where period_end > (select max(period_end) from '
            || {{ steps }} || ' where not coalesce(rose, false))'
        when 'lowest_since' then
            'select max(period_end) as measured from @ where ' || {{ of_own }} || ' and period_end < ' || {{ end_day }}
            || ' and value <= (select value from @ where ' || {{ of_own }} || ' and period_end = ' || {{ end_day }} || ')'
        when 'first_below' then
            'select min(period_end) as measured from @ where ' || {{ of_own }} || ' and period_end <= ' || {{ end_day }}
            || ' and value < ' || comparator || ' and period_end >= ' || case
                when start_day is not null then 'date ''' || cast(start_day as varchar(10)) || ''''
                else 'coalesce((select min(period_end) from @ where ' || {{ of_own }} || ' and value >= ' || comparator
                    || '), date ''0001-01-01'')'
            end
        when 'first_rank' then
            'with ranked as (select entity, period_end, rank() over (partition by period_end order by value desc) as '
            || 'holder_rank from @ where ' || {{ of_all }} || ' and entity_kind = ''country'' and value is not null and period_end <= '
            || {{ end_day }} || ') select min(period_end) as measured from ranked where entity = ''' || entity
            || ''' and holder_rank <= ' || comparator || ' and period_end >= ' || case
                when start_day is not null then 'date ''' || cast(start_day as varchar(10)) || ''''
                else 'coalesce((select min(period_end) from ranked where entity = ''' || entity
                    || ''' and holder_rank > ' || comparator || '), date ''0001-01-01'')'
            end
    end
{%- endmacro %}
