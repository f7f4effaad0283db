-- noqa: disable=all
-- Every day that a metric can be asked of: from the first price of gold to the end of CBO's projections.
{{ dbt.date_spine('day', "cast('1960-01-01' as date)", "cast('2041-01-01' as date)") }}
