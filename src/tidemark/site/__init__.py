"""The site of a release: static pages that need no server and no network, and work from disk.

Charts are Vega-Lite's, drawn in the reader's browser by a script that stands beside the pages; each has its
figures as a table and its query beneath it. Pages are Jinja templates, filled from the release's own marts.
"""

from __future__ import annotations

import json
import math
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import vl_convert

from tidemark import claims_report, registry
from tidemark.exports import Mart
from tidemark.site import charts, dbt_page, figures
from tidemark.site.figures import Figure, Row

FOLDER = "site"
HERE = Path(__file__).parent
# Of each home's own; the pages link there where they stand in the folder of a home.
DATA_DOCS = "../../../data_docs/index.html"

HOLDERS = """
    with newest as (
        select holder_id, max(period_end) as period_end from fct_holdings
        where holdings_usd_bn is not null group by holder_id
    )
    select holders.holder_id, holders.holder_name, holders.holder_name_zh, holders.kind,
        holders.aggregate_kind, holders.region, holders.is_custody_centre, holders.note,
        holdings.period_end, holdings.holdings_usd_bn, holdings.released_on,
        changes.change_1m_usd_bn, changes.change_12m_usd_bn, top.holder_rank, top.share_of_foreign_ratio,
        top.share_of_debt_ratio, changes.peak_usd_bn, changes.peak_period_end, changes.lowest_since
    from newest
    inner join fct_holdings as holdings
        on newest.holder_id = holdings.holder_id and newest.period_end = holdings.period_end
    inner join dim_holder as holders on newest.holder_id = holders.holder_id
    left join fct_holding_changes as changes
        on newest.holder_id = changes.holder_id and newest.period_end = changes.period_end
    left join mart_top_holders as top
        on newest.holder_id = top.holder_id and newest.period_end = top.period_end and top.is_latest_month
    order by holders.kind desc, holdings.period_end desc, holdings.holdings_usd_bn desc, holders.holder_name
"""
REVISIONS = """
    select period_end, released_on, previous_value, value, revision, first_value, first_released_on, dataset
    from fct_revisions
    where series = 'treasury_holdings' and holder_id = ?
    order by period_end desc, released_on desc
"""
FRESHNESS = """
    select dataset, publisher, title, cadence, releases, newest_released_on, newest_period_end, late_after,
        frozen_after, unreachable_since
    from mart_source_freshness order by dataset
"""
LOADS = """
    select dataset, released_on, reissue, evidence, file, source_url, bytes, cells, new_cells, changed_cells,
        withdrawn_cells, newest_new_period_end, archive_sha256
    from mart_load_history order by released_on desc, dataset, reissue desc
"""


def write(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    release: str,
    marts: list[Mart],
    manifest: dict[str, Any],
    has_data_docs: bool,
) -> None:
    """Write `site/` of the release that `connection` has open.

    Args:
        folder: the release's, in which the other files stand already.
        manifest: dbt's, for the page on the models.
        has_data_docs: whether Great Expectations' Data Docs stand in the home, for a link to them.
    """
    site = folder / FOLDER
    (site / "holders").mkdir(parents=True)
    _write_assets(site / "assets")
    holders = figures.ask(connection, HOLDERS)
    pages = {holder["holder_id"] for holder in holders}
    ((figures_up_to,),) = connection.execute("select max(released_on) from mart_load_history").fetchall()
    common = {
        "release": release,
        "figures_up_to": figures_up_to,
        "data_docs": DATA_DOCS if has_data_docs else None,
        "attributions": [source.attribution for source in registry.sources().values()],
    }

    def page(name: str, template: str, **content: Any) -> None:
        up = "../" * name.count("/")
        text = _environment().get_template(template).render(up=up, page=name, **common, **content)
        (site / name).write_text(text, encoding="utf-8")

    claims = claims_report.read(connection)
    page(
        "index.html",
        "index.html",
        charts=figures.front(connection, pages),
        total=next((one for one in holders if one["holder_id"] == "GRAND_TOTAL"), None),
        verdicts=_counted(claims),
    )
    page("holders.html", "holders.html", holders=holders)
    page(
        "claims.html", "claims.html", claims=claims, verdicts=_counted(claims), claimed=claims_report.claimed
    )
    page(
        "loads.html",
        "loads.html",
        freshness=figures.ask(connection, FRESHNESS),
        loads=figures.ask(connection, LOADS),
    )
    page("downloads.html", "downloads.html", marts=marts, sizes=_sizes(folder), sources=registry.sources())
    for holder in holders:
        page(
            f"holders/{holder['holder_id']}.html",
            "holder.html",
            holder=holder,
            charts=figures.of_holder(connection, holder),
            revisions=figures.ask(connection, REVISIONS, [holder["holder_id"]]),
        )
    (site / "models.html").write_text(dbt_page.page(manifest), encoding="utf-8")


def _write_assets(folder: Path) -> None:
    folder.mkdir()
    for asset in sorted((HERE / "assets").iterdir()):
        (folder / asset.name).write_bytes(asset.read_bytes())
    (folder / "vega.js").write_text(_vega(), encoding="utf-8")
    specifications = json.dumps(charts.all_charts(), ensure_ascii=False, separators=(",", ":"))
    (folder / "charts.js").write_text(f"window.tidemarkCharts = {specifications};\n", encoding="utf-8")


@cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    script: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub knows no default
    return script


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        written=figures.written, month=figures.month, rows=_rows, size=_size, words=_words
    )
    return environment


def _rows(figure: Figure) -> dict[str, Any]:
    """A chart's rows for the page's script: the columns once, then a list a row."""
    columns = list(figure.rows[0])
    return {"columns": columns, "rows": [[_plain(row[name]) for name in columns] for row in figure.rows]}


def _plain(cell: Any) -> Any:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell.isoformat() if isinstance(cell, date) else cell


def _words(name: str) -> str:
    return name.replace("_", " ")


def _size(count: int) -> str:
    """Bytes as people read them: 12 kB, 3.4 MB."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _sizes(folder: Path) -> dict[str, int]:
    """The size of every file of the release that is written already, by its path in it."""
    return {
        str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()
    }


def _counted(claims: list[Row]) -> dict[str, int]:
    counted = {verdict: sum(c["verdict"] == verdict for c in claims) for verdict in claims_report.VERDICTS}
    return {verdict: count for verdict, count in counted.items() if count}
