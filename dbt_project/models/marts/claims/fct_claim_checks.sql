-- noqa: disable=all
-- (Every line of it is made by macros/claims/; the linter would read what they render.)
{{ config(post_hook="{{ create_check_claims() }}") }}

{%- set bundled %}
    select
        cast(row_number() over (order by claim_id, statement) as integer) as claim_row,
        claims.*
    from {{ ref('claims') }} as claims
{% endset -%}

{{ check_claims(
    bundled,
    ref('fct_series_vintages'),
    source('raw', 'releases'),
    source('raw', 'datasets'),
    ref('series'),
    ref('claim_units'),
    ref('holders'),
) }}
