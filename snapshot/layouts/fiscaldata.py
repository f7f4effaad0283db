"""Fiscal Data: answers of the API, one page each; a record a line, so that a line can be named."""

from __future__ import annotations

import json
from datetime import date, timedelta

from layouts import Rendered, Row, read

API = "https://api.fiscaldata.treasury.gov/services/api/fiscal_service/v2/accounting/od"


def answer(dataset: str, released_on: str, records: list[Row]) -> Rendered:
    fields = ",".join(records[0])
    compact = (",", ":")
    meta = {"count": len(records), "total-count": len(records), "total-pages": 1}
    page = "&page%5Bnumber%5D=1&page%5Bsize%5D=10000"
    links = {"self": page, "first": page, "prev": None, "next": None, "last": page}
    lines = ",\n".join(json.dumps(record, separators=compact) for record in records)
    tail = f'"meta":{json.dumps(meta, separators=compact)},"links":{json.dumps(links, separators=compact)}'
    return Rendered(
        f"fiscaldata/{dataset}",
        f"fiscaldata/{dataset}_{released_on}.json",
        released_on,
        f"{API}/{dataset}?fields={fields}&sort=record_date&page%5Bsize%5D=10000",
        f'{{"data":[\n{lines}\n],\n{tail}}}\n'.encode("ascii"),
    )


def render() -> list[Rendered]:
    debt = [
        {
            "record_date": row["record_date"],
            "debt_held_public_amt": row["held_by_public_usd"] or "null",
            "intragov_hold_amt": row["intragovernmental_usd"] or "null",
            "tot_pub_debt_out_amt": row["total_usd"],
        }
        for row in read("fiscaldata/debt_to_the_penny.csv")
    ]
    interest = [
        {
            "record_date": row["record_date"],
            "expense_catg_desc": row["expense_category"],
            "month_expense_amt": row["month_expense_usd"],
        }
        for row in read("fiscaldata/interest_expense.csv")
    ]
    # No figure tells when it was published; the debt of a day is out on the next business day.
    released_on = (date.fromisoformat(debt[-1]["record_date"]) + timedelta(days=1)).isoformat()
    return [
        answer("debt_to_penny", released_on, debt),
        answer("interest_expense", released_on, interest),
    ]
