{#-
    The canonical name of what CBO's evaluation classes as component/category/subcategory. Totals that leave out
    Fannie Mae, Freddie Mac and student loans end in `_ex_gse`: they are not the totals of the budget.
-#}
{% macro cbo_component(label) -%}
    case {{ label }}
        when 'debt/Total/Total' then 'debt_held_by_public'
        when 'deficit/Total/Total' then 'deficit_total_ex_gse'
        when 'outlay/Discretionary/Defense Discretionary' then 'defense_discretionary'
        when 'outlay/Discretionary/Nondefense Discretionary' then 'nondefense_discretionary'
        when 'outlay/Discretionary/Total Discretionary' then 'discretionary_total'
        when 'outlay/Mandatory/Fannie Freddie' then 'fannie_mae_and_freddie_mac'
        when 'outlay/Mandatory/Medicaid' then 'medicaid'
        when 'outlay/Mandatory/Medicare' then 'medicare_net'
        when 'outlay/Mandatory/Other Mandatory' then 'mandatory_other_ex_gse'
        when 'outlay/Mandatory/Social Security' then 'social_security'
        when 'outlay/Mandatory/Student Loan Foregiveness' then 'student_loan_cancellation'
        when 'outlay/Mandatory/Total Mandatory' then 'mandatory_total_ex_gse'
        when 'outlay/Net Interest/Net Interest' then 'net_interest'
        when 'outlay/Total/Total' then 'outlays_total_ex_gse'
        when 'revenue/Corporate Income Taxes/Corporate Income Taxes' then 'corporate_income_taxes'
        when 'revenue/Customs Duties/Customs Duties' then 'customs_duties'
        when 'revenue/Estate and Gift Taxes/Estate and Gift Taxes' then 'estate_and_gift_taxes'
        when 'revenue/Excise Taxes/Excise Taxes' then 'excise_taxes'
        when 'revenue/Individual Income Taxes/Individual Income Taxes' then 'individual_income_taxes'
        when 'revenue/Miscellaneous Receipts/Miscellaneous Receipts' then 'miscellaneous_receipts'
        when 'revenue/Payroll Taxes/Payroll Taxes' then 'payroll_taxes'
        when 'revenue/Total/Total' then 'revenues_total'
    end
{%- endmacro %}
