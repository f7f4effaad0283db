"""The site, in a browser: it loads from disk, draws, sorts, searches, fits, and shows what the marts say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest
from playwright.sync_api import Browser

from tests import browser as headless
from tests.browser import Watched
from tidemark import publish
from tidemark.settings import Home
from tidemark.site import charts, figures

WIDTHS = (390, 1440)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with headless.running() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(loaded_template: Home) -> Path:
    """By the link, as people open it."""
    return publish.site_of_current(loaded_template).parent


@pytest.fixture(scope="module")
def release(loaded_template: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with publish.opened(publish.current(loaded_template).file) as connection:
        yield connection


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def watched(browser: Browser, width: int = 1440, **options: str) -> Watched:
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    return Watched(context.new_page())


# --- what stands on the pages, as files ------------------------------------------------------------------


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.ids.add(said.get("id") or "")
        for name in ("href", "src"):
            if said.get(name):
                self.found.append(str(said[name]))


def test_every_link_leads_to_a_file_and_none_outside(site):
    for page in pages(site):
        if page.name == "models.html":
            continue  # dbt's own, whose links are made as one reads it; the browser opens it below
        links = Links()
        links.feed(page.read_text("utf-8"))
        assert links.found, page
        for link in links.found:
            if link.startswith("data:"):
                continue
            assert not re.match(r"[a-z]+:|//", link), f"{page}: {link}"
            path, _, fragment = link.partition("#")
            # As a browser sees it: the link `current` is a folder like any other.
            target = Path(*(page.parent / unquote(path)).parts) if path else page
            assert Path(re.sub(r"/[^/]+/\.\./", "/", str(target))).exists() or target.exists(), (
                f"{page}: {link}"
            )
            if fragment and not path:
                assert fragment in links.ids, f"{page}: {link}"


def test_there_is_a_page_for_every_holder_with_a_figure(site, release):
    holders = {h for (h,) in release.execute(
        "select distinct holder_id from fct_holdings where holdings_usd_bn is not null"
    ).fetchall()}  # fmt: skip
    assert {path.stem for path in (site / "holders").iterdir()} == holders
    assert len(holders) > 80


SECTION = re.compile(r'<section class="chart" id="(?P<id>[^"]+)".*?</section>', re.DOTALL)
ROWS = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)
QUERY = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.DOTALL)
CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)


@pytest.mark.parametrize(
    "name", ["index.html", "holders/CHN.html", "holders/JPN.html", "holders/GRAND_TOTAL.html"]
)
def test_each_figure_of_a_chart_is_the_marts(site, release, name):
    text = (site / name).read_text("utf-8")
    sections = list(SECTION.finditer(text))
    assert len(sections) >= 3
    for section in sections:
        sql = unescape(QUERY.search(section[0])[1])
        expected = figures.ask(release, sql)
        said = json.loads(ROWS.search(section[0])[1])
        drawn = [dict(zip(said["columns"], row, strict=True)) for row in said["rows"]]
        assert len(drawn) == len(expected) > 0
        for shown, held in zip(drawn, expected, strict=True):
            for column, value in held.items():
                assert shown[column] == (value.isoformat() if hasattr(value, "isoformat") else value)
        # The table beneath has the same figures, written out.
        cells = [unescape(cell) for cell in CELL.findall(section[0])]
        assert len(cells) % len(expected) == 0
        numbers = {round(v, 6) for row in expected for v in row.values() if isinstance(v, float)}
        for cell in cells:
            if re.fullmatch(r"[+-]?[\d,]+\.\d+", cell):
                written = float(cell.replace(",", ""))
                decimals = len(cell.partition(".")[2])
                assert any(abs(written - number) <= 0.5001 * 10**-decimals for number in numbers), cell
        assert "As of <b>" in section[0]
        assert "Source: " in section[0]


def test_published_figures_stand_on_the_pages(site):
    front = (site / "index.html").read_text("utf-8")
    # Table 5 of 2026-09-16: Japan 1103.9, the United Kingdom 998.3, China 618.0 at the end of July 2026.
    assert "Japan holds most: 1,103.9 billion dollars; United Kingdom (998.3), then China (618.0)" in front
    # CBO's Historical Budget Data: 970 and 893 billion in fiscal year 2025.
    assert "Net interest cost 969.9 billion dollars in fiscal year 2025, defence 892.5" in front
    china = (site / "holders" / "CHN.html").read_text("utf-8")
    assert '<span class="zh" lang="zh-Hans">中国</span>' in china
    # October 2025 was published as 688.7 and stands at 687.7.
    row = re.search(r'<th scope="row">2025-10-31</th>.*?</tr>', china, re.DOTALL)[0]
    assert ">688.7<" in row
    assert ">687.7<" in row


def test_the_claims_page_has_every_verdict_of_the_mart(site, release):
    text = (site / "claims.html").read_text("utf-8")
    shown = re.findall(r'<article data-verdict="(\w+)"[^>]*id="(\w+)">', text)
    held = release.execute("select verdict, claim_id from fct_claim_checks order by claim_row").fetchall()
    assert shown == held
    for (sql,) in release.execute("select sql from fct_claim_checks where sql is not null").fetchall():
        assert sql in unescape(text)


def test_an_unknown_chart_is_on_no_page(site):
    drawn = set(re.findall(r'data-chart="(\w+)"', "".join(p.read_text("utf-8") for p in pages(site))))
    assert drawn == set(charts.all_charts())


def test_nothing_of_the_machine_stands_on_a_page(site, loaded_template):
    for page in pages(site):
        assert str(loaded_template.root) not in page.read_text("utf-8"), page


# --- in a browser ------------------------------------------------------------------------------------------


def test_every_page_loads_without_an_error_or_an_outside_request_and_fits(site, browser):
    for width in WIDTHS:
        for place, page in enumerate(pages(site)):
            # All holders' pages are made by one template: at the narrow width, each tenth.
            if page.parent.name == "holders" and width == 390 and place % 10:
                continue
            seen = watched(browser, width)
            seen.open(page.as_uri())
            assert seen.wrong == [], page
            if page.name != "models.html":
                wide = seen.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{page} is {wide} pixels wide on {width}"
                assert seen.page.locator("h1").count() == 1
            seen.page.context.close()


def test_every_chart_is_drawn_with_marks(site, browser):
    for name in ("index.html", "holders/CHN.html", "holders/SAU.html"):
        seen = watched(browser)
        seen.open((site / name).as_uri())
        plots = seen.page.locator(".plot")
        assert plots.count() >= 3
        for place in range(plots.count()):
            plot = plots.nth(place)
            marks = plot.locator("svg .mark-rect path, svg .mark-line path, svg .mark-area path")
            drawn = [mark.get_attribute("d") or "" for mark in marks.all()]
            assert any(len(path) > 10 for path in drawn), f"{name}: {plot.get_attribute('data-chart')}"
            box = plot.locator("svg").bounding_box()
            assert box["width"] > 300
            assert box["height"] > 150
        assert seen.wrong == []
        seen.page.context.close()


def test_a_chart_has_a_bar_for_each_holder_as_long_as_its_figure(site, browser):
    seen = watched(browser)
    seen.open((site / "index.html").as_uri())
    said = json.loads(seen.page.locator("#who-holds script").text_content())
    held = [row[said["columns"].index("holdings_usd_bn")] for row in said["rows"]]
    bars = seen.page.locator("#who-holds svg .mark-rect path").all()
    widths = [bar.bounding_box()["width"] for bar in bars]
    assert len(widths) == len(held) == 15
    for width, figure in zip(widths, held, strict=True):
        assert width / widths[0] == pytest.approx(figure / held[0], abs=0.02)


def test_holders_are_found_by_either_name_and_sorted(site, browser):
    seen = watched(browser)
    page = seen.page
    seen.open((site / "holders.html").as_uri())
    shown = page.locator("#holders tbody tr:visible")
    everyone = shown.count()
    for asked in ("日本", "japan", "JPN"):
        page.get_by_label("Search").fill(asked)
        assert shown.count() == 1
        assert "1,103.9" in shown.first.text_content()
    assert page.locator("[data-count=holders]").text_content() == f"1 of {everyone}"
    page.get_by_label("Search").fill("")
    page.get_by_role("button", name="holdings").click()
    column = [
        float(cell.replace(",", "")) for cell in page.locator("#holders td:nth-child(6)").all_text_contents()
    ]
    assert column == sorted(column, reverse=True)
    head = page.locator("#holders th", has_text="holdings")
    assert head.get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="holdings").click()
    assert head.get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="rank").click()
    ranks = [cell.strip() for cell in page.locator("#holders td:nth-child(5)").all_text_contents()]
    assert ranks[0] == "20"
    assert ranks[-1] == "", "who has no rank stands last, whichever the direction"
    assert seen.wrong == []


def test_statements_are_searched_and_filtered(site, browser, release):
    seen = watched(browser)
    seen.open((site / "claims.html").as_uri())
    for verdict, count in release.execute(
        "select verdict, count(*) from fct_claim_checks group by all"
    ).fetchall():
        seen.page.get_by_label("Verdict").select_option(verdict)
        assert seen.page.locator("#claims article:visible").count() == count
    seen.page.get_by_label("Verdict").select_option("")
    seen.page.get_by_label("Search").fill("688.7")
    assert seen.page.locator("#claims article:visible").count() == 1


def test_freshness_is_told_of_the_day_of_reading(site, browser):
    seen = watched(browser)
    for day, expected in (("2026-09-20", "fresh"), ("2026-10-24", "late"), ("2027-06-01", "frozen")):
        seen.page.clock.set_fixed_time(f"{day}T12:00:00")
        seen.open((site / "loads.html").as_uri())
        row = seen.page.locator("#freshness tr", has_text="tic/slt_table5")
        assert row.locator(".state").text_content().strip() == expected
    assert seen.wrong == []


def test_a_keyboard_reaches_all_and_sees_where_it_is(site, browser):
    seen = watched(browser)
    seen.open((site / "holders.html").as_uri())
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached = set()
    for _ in range(30):
        seen.page.keyboard.press("Tab")
        reached.add(seen.page.evaluate(
            "document.activeElement.tagName + ' ' + getComputedStyle(document.activeElement).outlineStyle"
        ))  # fmt: skip
    assert {kind.split()[0] for kind in reached} >= {"A", "INPUT", "BUTTON"}
    assert not any(kind.endswith("none") for kind in reached), reached
    # A table beneath a chart is opened by the keyboard.
    seen.open((site / "index.html").as_uri())
    summary = seen.page.locator("#who-holds .figures summary")
    summary.focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("#who-holds table").is_visible()


def test_a_screen_reader_is_told_what_each_thing_is(site, browser):
    seen = watched(browser)
    for name in (
        "index.html",
        "holders.html",
        "claims.html",
        "loads.html",
        "downloads.html",
        "holders/CHN.html",
    ):
        seen.open((site / name).as_uri())
        unnamed = seen.page.evaluate(
            """() => [...document.querySelectorAll("a, button, input, select")].filter(
                (element) => !(element.textContent.trim() || element.getAttribute("aria-label")
                    || element.closest("label"))).map((element) => element.outerHTML)"""
        )
        assert unnamed == []
        assert seen.page.evaluate("document.documentElement.lang") == "en"
        for head in seen.page.locator("thead th").all():
            assert head.get_attribute("scope") == "col"
        for svg in seen.page.locator(".plot svg").all():
            said = svg.get_attribute("aria-label") or svg.locator("[aria-label]").first.get_attribute(
                "aria-label"
            )
            assert said


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(site, browser, scheme):
    """WCAG 2: 4.5 to 1 for text, 3 to 1 for the parts of a chart."""
    seen = watched(browser, color_scheme=scheme)
    seen.open((site / "index.html").as_uri())
    colours = seen.page.evaluate(
        """() => Object.fromEntries(
            ["paper", "ink", "muted", "link", "up", "down", "c1", "c2", "c3", "c4", "c5", "c6"]
            .map((name) => {
                const probe = document.createElement("i");
                probe.style.color = `var(--${name})`;
                document.body.append(probe);
                return [name, getComputedStyle(probe).color];
            }))"""
    )
    paper = luminance(colours.pop("paper"))
    assert (paper < 0.05) == (scheme == "dark")
    for name, colour in colours.items():
        light, dark = sorted((luminance(colour), paper), reverse=True)
        least = 4.5 if name in ("ink", "muted", "link", "up", "down") else 3
        assert (light + 0.05) / (dark + 0.05) >= least, name
    fill = seen.page.locator("#who-holds svg .mark-rect path").first.evaluate("e => getComputedStyle(e).fill")
    assert fill == colours["c1"], "charts follow the page's colours"
