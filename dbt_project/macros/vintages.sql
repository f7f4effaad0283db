{#-
    The rows of a staging model with `superseded_on`: the day from which another statement of the same cell
    stands. NULL while it stands; the same day for an issue that a second one of that day replaced.

    relation: a staging model, with `released_on` and `reissue`.
    cell: the columns that name a cell.
-#}
{% macro vintages(relation, cell) -%}
    select
        vintaged.*,
        lead(vintaged.released_on) over (
            partition by {{ cell | join(', ') }} order by vintaged.released_on, vintaged.reissue
        ) as superseded_on
    from {{ relation }} as vintaged
{%- endmacro %}

{#- The rows of a staging model that stand today: the last statement of each cell. -#}
{% macro latest(relation, cell) -%}
    select *
    from ({{ vintages(relation, cell) }}) as every_vintage
    where superseded_on is null
{%- endmacro %}
