"""WGC: the two JSON answers behind its charts, and the citations. A quoted extract of its figures."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime

from layouts import NOT_QUOTED, Rendered, Row, read

API = "https://fsapi.gold.org/api"
HOLDINGS_URL = f"{API}/cbd/v11/charts/getPage?page=date_range&periodicity=QTD_FULL&startDate=2000-01-01&endDate=2026-12-31"
DEMAND_URL = f"{API}/v11/charts/supply-and-demand/"
DEMAND_PAGE = "https://www.gold.org/goldhub/research/gold-demand-trends"
COMPACT = (",", ":")

# The figures' editions by the day each stands under: the second tells its month only, and the demand chart
# beside it was fetched on that day.
HOLDINGS = {"2026-02-25": "holdings_quarterly_2026-02-25.csv", "2026-08-18": "holdings_quarterly_2026-08.csv"}
METRICS_NOT_QUOTED = ("gold_reserves", "fx_reserves", "total_reserves", "holdings_pct")
# As the figures name the economies.
ISO3 = {
    "Albania": "ALB", "Algeria": "DZA", "Argentina": "ARG", "Armenia": "ARM", "Aruba": "ABW",
    "Australia": "AUS", "Austria": "AUT", "Azerbaijan": "AZE", "Bahrain": "BHR", "Bangladesh": "BGD",
    "Belarus": "BLR", "Belgium": "BEL", "Bolivia": "BOL", "Bosnia and Herzegovina": "BIH", "Brazil": "BRA",
    "Bulgaria": "BGR", "Cambodia": "KHM", "Canada": "CAN", "Chile": "CHL", "China": "CHN", "Colombia": "COL",
    "Comoros": "COM", "Costa Rica": "CRI", "Croatia": "HRV", "Cyprus": "CYP", "Czech Republic": "CZE",
    "Denmark": "DNK", "Dominican Republic": "DOM", "Ecuador": "ECU", "Egypt": "EGY", "El Salvador": "SLV",
    "Estonia": "EST", "Fiji": "FJI", "Finland": "FIN", "France": "FRA", "Germany": "DEU", "Ghana": "GHA",
    "Greece": "GRC", "Guatemala": "GTM", "Haiti": "HTI", "Honduras": "HND", "Hong Kong SAR": "HKG",
    "Hungary": "HUN", "Iceland": "ISL", "India": "IND", "Indonesia": "IDN", "Iraq": "IRQ", "Ireland": "IRL",
    "Italy": "ITA", "Japan": "JPN", "Jordan": "JOR", "Kazakhstan": "KAZ", "Kenya": "KEN", "Kuwait": "KWT",
    "Kyrgyzstan": "KGZ", "Latvia": "LVA", "Lebanon": "LBN", "Libya": "LBY", "Lithuania": "LTU",
    "Luxembourg": "LUX", "Malaysia": "MYS", "Malta": "MLT", "Mauritius": "MUS", "Mexico": "MEX",
    "Mongolia": "MNG", "Morocco": "MAR", "Mozambique": "MOZ", "Nepal": "NPL", "Netherlands": "NLD",
    "Nicaragua": "NIC", "Nigeria": "NGA", "North Macedonia": "MKD", "Norway": "NOR", "Oman": "OMN",
    "Pakistan": "PAK", "Papua New Guinea": "PNG", "Paraguay": "PRY", "Peru": "PER", "Philippines": "PHL",
    "Poland": "POL", "Portugal": "PRT", "Qatar": "QAT", "Romania": "ROU", "Russian Federation": "RUS",
    "Saudi Arabia": "SAU", "Serbia": "SRB", "Singapore": "SGP", "Slovakia": "SVK", "Slovenia": "SVN",
    "South Africa": "ZAF", "South Korea": "KOR", "Spain": "ESP", "Sri Lanka": "LKA", "Suriname": "SUR",
    "Sweden": "SWE", "Switzerland": "CHE", "Taiwan, China": "TWN", "Thailand": "THA",
    "Trinidad and Tobago": "TTO", "Tunisia": "TUN", "Turkey": "TUR", "Ukraine": "UKR",
    "United Arab Emirates": "ARE", "United Kingdom": "GBR", "United States of America": "USA",
    "Uruguay": "URY", "Uzbekistan": "UZB", "Venezuela": "VEN",
}  # fmt: skip


def milliseconds(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp()) * 1000


def quoted(value: object) -> str:
    return json.dumps(value, separators=COMPACT)


def holdings(released_on: str, figures: str) -> Rendered:
    """Tonnes, a series a line; the metrics and cells that the extract leaves out say so."""
    cells: dict[str, dict[str, float]] = {}
    for row in read(f"wgc/{figures}"):
        cells.setdefault(ISO3[row["country"]], {})[row["period"]] = float(row["tonnes"])
    quarters = sorted({quarter for of_country in cells.values() for quarter in of_country})
    series = ",\n".join(
        quoted(
            {
                "name": code,
                "data": [[milliseconds(day), cells[code].get(day, NOT_QUOTED)] for day in quarters],
            }
        )
        for code in sorted(cells)
    )
    others = ",\n".join(f"{quoted(name)}:{quoted(NOT_QUOTED)}" for name in METRICS_NOT_QUOTED)
    text = (
        '{"chartData":{"linechart":{"QTD_FULL":{\n'
        f'"gold_reserves_tns":{{"unit":"Tonnes","data":[\n{series}\n]}},\n{others}\n}}}}}}}}\n'
    )
    return Rendered(
        "wgc/holdings_api",
        f"wgc/holdings_api_{released_on}.json",
        released_on,
        HOLDINGS_URL,
        text.encode("ascii"),
    )


def demand(released_on: str, rows: list[Row]) -> Rendered:
    """The chart's one series that the figures have, of one edition, whose number the note tells."""
    edition = rows[0]["vintage_note"].partition("chart id ")[2][:2]
    categories = [f"{row['quarter'][4:]} '{row['quarter'][2:4]}" for row in rows]
    series = {"name": "Central banks", "data": [float(row["tonnes"]) for row in rows]}
    text = (
        '{"chartData":{"Demand_Quarterly":{\n'
        f'"categories":{quoted(categories)},\n"series":[\n{quoted(series)}\n]}}}}}}\n'
    )
    return Rendered(
        "wgc/central_bank_demand",
        f"wgc/central_bank_demand_{released_on}.json",
        released_on,
        DEMAND_URL + edition,
        text.encode("ascii"),
    )


def citations(released_on: str, issue: int, rows: list[Row]) -> Rendered:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Rendered(
        "wgc/cited_demand",
        f"wgc/cited_demand_{released_on}.{issue}.csv",
        released_on,
        DEMAND_PAGE,
        out.getvalue().encode("ascii"),
    )


def render() -> list[Rendered]:
    rendered = [holdings(released_on, figures) for released_on, figures in HOLDINGS.items()]
    editions: dict[str, dict[str, list[Row]]] = {}
    for row in read("wgc/central_bank_demand.csv"):
        editions.setdefault(row["released_on"], {}).setdefault(row["vintage_note"], []).append(row)
    for released_on, by_source in editions.items():
        if any("chart id" in note for note in by_source):
            (rows,) = by_source.values()
            rendered.append(demand(released_on, rows))
            continue
        # Of two sources the validated one is the second issue: it stands.
        ordered = sorted(by_source.items(), key=lambda item: "validated" in item[0])
        rendered += [citations(released_on, issue, rows) for issue, (_, rows) in enumerate(ordered)]
    return rendered
