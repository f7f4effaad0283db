"""Writes docs/sources/ and docs/licences.md: what the passports and the snapshot's manifest say, as pages.

python docs/render.py            writes the pages, and takes away those of sources that are gone
python docs/render.py --check    writes nothing; exit code 1 if a page is not what it would write
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from tidemark import corrections, registry, release_calendar
from tidemark.corrections import BETWEEN, Correction
from tidemark.registry import Dataset, Source

DOCS = Path(__file__).resolve().parent
MANIFEST = DOCS.parent / "snapshot" / "manifest.csv"
# As many labels stand in a line, and as many rows open to the eye; more are folded.
FEW, FOLD_OVER = 3, 12

REDISTRIBUTION = {
    "allowed": "allowed",
    "with_attribution": "allowed with attribution",
    "extract_only": "extracts only",
}
PUBLISHED = {
    "allowed": "all of it",
    "with_attribution": "all of it, with the attribution",
    "extract_only": (
        "the bundled extract, in tables made of it; no raw or staging table, and no row of a file that the "
        "operator brings, unless they are switched on: "
        "`tidemark publish --include-restricted`, or `TIDEMARK_INCLUDE_RESTRICTED=1`"
    ),
}
REVISED = {
    "none": "Never.",
    "rolling": "The newest periods, release by release.",
    "annual": "Once a year, several years back.",
    "whole_history": "The whole history, at any release.",
}
ABSENT = {
    "window": "has left the table's window; what was said of it stands",
    "deletion": "was withdrawn by the publisher",
}
DATED_BY = {
    "edition_date": "the file's own date",
    "last_modified": "the response's Last-Modified",
    "calendar": "the release calendar; a file brought by hand by `--released-on`",
    "fetch_day": "the day of the fetch",
    "given": "whoever loads it, `--released-on`; of a fetched one the way to it, or the day of the fetch",
}
EVIDENCE = {
    "published": "the publisher's own file",
    "cited": "figures as others quoted them on the day",
}

Row = dict[str, str]


def pages(sources: Iterable[Source], bundled: Sequence[Row]) -> dict[str, str]:
    """Each page by its path below `docs/`.

    Args:
        bundled: the rows of the snapshot's manifest.
    """
    every = list(sources)
    written = {f"sources/{source.id}.md": source_page(source, bundled) for source in every}
    return {**written, "sources/README.md": index_page(every, bundled), "licences.md": licence_page(every)}


# --- Pages ----------------------------------------------------------------------------------------------


def index_page(sources: Sequence[Source], bundled: Sequence[Row]) -> str:
    datasets = [dataset for source in sources for dataset in source.datasets]
    return _page(
        "the passports in sources/",
        "# Sources",
        f"{_count(len(sources), 'source')}, {_count(len(datasets), 'dataset')}. A page a source, from its "
        "passport in [sources/](../../sources); their terms side by side: [licences](../licences.md).",
        _table(
            ["source", "publisher", "country", "cadence", "datasets", "redistribution"],
            [
                (
                    f"[{source.id}]({source.id}.md)",
                    _prose(source.publisher),
                    source.country,
                    source.cadence,
                    ", ".join(f"[{d.id}]({source.id}.md#{_anchor(d)})" for d in source.datasets),
                    REDISTRIBUTION[source.licence["redistribution"]],
                )
                for source in sources
            ],
        ),
        f"{_count(len(bundled), 'release')} with their real published figures are bundled in "
        "[snapshot/](../../snapshot); each source's page lists its own, with their SHA-256.",
    )


def licence_page(sources: Sequence[Source]) -> str:
    return _page(
        "the passports in sources/",
        "# Licences",
        "Tidemark itself is under the [Apache License 2.0](../LICENSE). The figures are their publishers', "
        "under these terms; who passes figures on names their source in these words.",
        _table(
            ["source", "publisher", "licence", "redistribution", "attribution", "in published releases"],
            [
                (
                    f"[{source.id}](sources/{source.id}.md)",
                    _prose(source.publisher),
                    _licence(source),
                    REDISTRIBUTION[source.licence["redistribution"]],
                    _prose(source.attribution),
                    PUBLISHED[source.licence["redistribution"]],
                )
                for source in sources
            ],
        ),
    )


def source_page(source: Source, bundled: Sequence[Row]) -> str:
    calendar = source.release_calendar
    parts = [part for d in source.datasets for part in dataset_parts(d, _releases(d, bundled))]
    return _page(
        f"sources/{source.id}.yml and snapshot/manifest.csv",
        f"# {source.id}: {_prose(source.title)}",
        f"Published by {_prose(source.publisher)} ({source.country}): {_link(source.homepage)}",
        _facts(
            [
                ("Licence", _licence(source)),
                ("Redistribution", REDISTRIBUTION[source.licence["redistribution"]]),
                ("Published releases hold", PUBLISHED[source.licence["redistribution"]]),
                ("Attribution", _prose(source.attribution)),
                ("Cadence", source.cadence),
                ("Lag", _lag(source.lag_months)),
                (
                    "Released",
                    f"{calendar['time']} {calendar['timezone']}. {_prose(calendar.get('note', ''))}".strip(),
                ),
                ("Release dates", _dates(calendar["dates"])),
                ("Asked", _asked(source)),
                ("Revised", _revised(source)),
            ]
        ),
        *(["## Known frictions", _bullets(source.frictions)] if source.frictions else []),
        "## Datasets",
        _table(
            ["dataset", "title", "state", "units", "bundled releases"],
            [
                (
                    f"[{dataset.name}](#{_anchor(dataset)})",
                    _prose(dataset.title),
                    dataset.state,
                    ", ".join(dict.fromkeys(f"`{m.unit}`" for m in dataset.measures.values())),
                    str(len(_releases(dataset, bundled))),
                )
                for dataset in source.datasets
            ],
        ),
        *parts,
    )


def dataset_parts(dataset: Dataset, releases: Sequence[Row]) -> Iterator[str]:
    yield f"## {dataset.name}"
    yield f"{_prose(dataset.title)}."
    yield _facts(
        [
            ("File", f"`{dataset.file}`, {_link(dataset.url)}"),
            ("Layout", _prose(dataset.format)),
            ("Evidence", EVIDENCE[dataset.evidence]),
            ("Fetched", _fetched(dataset)),
            ("State", f"frozen since {dataset.last_release}" if dataset.last_release else dataset.state),
            ("A series is named by", ", ".join(f"`{column}`" for column in dataset.key)),
            ("Labels are", _labels(dataset)),
            ("Dated by", DATED_BY[dataset.released_on_from]),
            ("A cell no longer listed", ABSENT[dataset.absence]),
            ("Newest figure", _newest(dataset)),
            ("Next figures", _next(dataset)),
            ("Looks ahead", _count(dataset.looks_ahead_days, "day") if dataset.looks_ahead_days else ""),
            ("Still moves by", _moves(dataset)),
            ("Parts against totals", _closing(dataset)),
        ]
    )
    yield "What is measured, and the bounds that no true figure passes:"
    yield _table(
        ["measure", "unit", "at least", "at most"],
        [(f"`{n}`", f"`{m.unit}`", _number(m.min), _number(m.max)) for n, m in dataset.measures.items()],
        right=(2, 3),
    )
    if known := corrections.of(dataset):
        yield "Figures known to have been published wrong, and what is done about them:"
        yield _corrections(known)
    if len(dataset.series) > FEW:
        yield _folded(
            f"{len(dataset.series)} series", "\n".join(f"- {_code(label)}" for label in dataset.series)
        )
    if dataset.frictions:
        yield "### Known frictions"
        yield _bullets(dataset.frictions)
    if dataset.reference_values:
        yield "### Reference values"
        yield _references(dataset)
    if releases:
        yield "### Bundled releases"
        table = _table(
            ["released on", "file", "bytes", "SHA-256"],
            [
                (
                    row["released_on"],
                    f"[{Path(row['file']).name}](../../snapshot/{row['file']})",
                    f"{int(row['bytes']):,}",
                    f"`{row['sha256']}`",
                )
                for row in releases
            ],
            right=(2,),
        )
        span = f"{releases[0]['released_on']} to {releases[-1]['released_on']}"
        yield table if len(releases) <= FOLD_OVER else _folded(f"{len(releases)} releases, {span}", table)


# --- What a passport says, in words ---------------------------------------------------------------------


def _licence(source: Source) -> str:
    name = _prose(source.licence["name"])
    return f"[{name}]({source.licence['url']})" if "url" in source.licence else name


def _lag(months: int) -> str:
    return f"{_count(months, 'month')} after the period's end" if months else "less than a month"


def _revised(source: Source) -> str:
    how, note = source.revisions["how"], _prose(source.revisions.get("note", ""))
    return note if note and how == "none" else f"{REVISED[how]} {note}".strip()


def _dates(dates: Sequence[date]) -> str:
    """The announced days, a line a year."""
    years = dict.fromkeys(day.year for day in dates)
    return "<br>".join(
        f"{year}: " + ", ".join(f"{day.day} {day:%b}" for day in dates if day.year == year) for year in years
    )


def _asked(source: Source) -> str:
    return f"{release_calendar.describe(source)}." if source.is_fetched else ""


def _fetched(dataset: Dataset) -> str:
    fetch = dataset.fetch
    match fetch.get("by"):
        case "url":
            return "from its address"
        case "links":
            steps = " then ".join(
                " and ".join(f"{name} {_code(form)}" for name, form in step.items())
                for step in fetch["follow"]
            )
            return f"from {_link(fetch.get('from', dataset.url))} by the link whose {steps}"
        case "github":
            path = fetch.get("path") or f"{fetch['folder']}/, the newest {_code(fetch['newest'])}"
            return f"from the repository {fetch['repository']}: {path}, dated by its commit"
        case "edition":
            return f"by the number of the newest edition: {fetch['number']} is {fetch['of']}"
        case "api_pages":
            return "from its address, every page of it"
        case "inbox":
            return f"by no program: {_prose(fetch['why'])}"
    return ""


def _next(dataset: Dataset) -> str:
    if not dataset.is_awaited:
        return ""
    after = "after the last release" if dataset.looks_ahead_days else "after the newest period"
    return (
        f"late {_count(dataset.late_after_days, 'day')} {after}, "
        f"frozen {_count(dataset.frozen_after_days, 'day')} later"
    )


def _labels(dataset: Dataset) -> str:
    if dataset.series:
        few = ", ".join(_code(label) for label in dataset.series)
        return few if len(dataset.series) <= FEW else f"{len(dataset.series)} series, listed below"
    return "holders, known by [holder_aliases.csv](../../dbt_project/seeds/holder_aliases.csv)"


def _newest(dataset: Dataset) -> str:
    days = dataset.content_age_days
    if days < 0:
        return f"at least {_count(-days, 'day')} ahead on the day of release; else the file is an old one"
    return f"at most {_count(days, 'day')} old on the day of release; else the file is an old one"


def _moves(dataset: Dataset) -> str:
    ratio = dataset.plausible_revision.ratio
    how_far = f"At most {ratio * 100:g} percent." if ratio else "Nothing."
    return f"{how_far} {_prose(dataset.plausible_revision.reason)}"


def _closing(dataset: Dataset) -> str:
    if dataset.closing is None:
        return ""
    return f"Within {_number(dataset.closing.tolerance)}. {_prose(dataset.closing.reason)}"


def _corrections(known: Sequence[Correction]) -> str:
    rows = [
        (_code(BETWEEN.join(c.key)), str(c.period_end), _number(c.expect), c.action, _prose(c.reason))
        for c in known
    ]
    table = _table(["cell", "period", "published as", "action", "why"], rows, right=(2,))
    return table if len(rows) <= FOLD_OVER else _folded(f"{len(rows)} figures", table)


def _references(dataset: Dataset) -> str:
    columns = [c for c in dataset.key if any(reference.get(c) for reference in dataset.reference_values)]
    rows = [
        (
            *(_code(str(reference.get(column, ""))) for column in columns),
            str(reference["period_end"]),
            f"`{reference['measure']}`",
            _number(reference["value"]),
            f"`{dataset.measures[reference['measure']].unit}`",
            "; ".join(
                said
                for said in (
                    f"in the release of {reference['released_on']}" if "released_on" in reference else "",
                    _prose(reference.get("note", "")),
                )
                if said
            ),
        )
        for reference in dataset.reference_values
    ]
    header = [*columns, "period", "measure", "value", "unit", "note"]
    table = _table(header, rows, right=(len(columns) + 2,))
    return table if len(rows) <= FOLD_OVER else _folded(f"{len(rows)} published figures", table)


def _releases(dataset: Dataset, bundled: Sequence[Row]) -> list[Row]:
    return [row for row in bundled if row["dataset"] == dataset.name]


# --- Markdown -------------------------------------------------------------------------------------------


def _page(made_from: str, *parts: str) -> str:
    note = f"<!-- Written by `make docs` from {made_from}: change those, not this. -->"
    return "\n\n".join([note, *(part for part in parts if part)]) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table; `right` are the columns of figures. A bar within a cell is escaped, in code too."""
    rule = ["---:" if index in right else "---" for index in range(len(header))]
    lines = [header, rule, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return _table(["", ""], [(f"**{name}**", said) for name, said in facts if said])


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {_prose(text)}" for text in texts)


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


def _prose(text: str) -> str:
    """A passport's words: code spans stay; what Markdown would take for its own signs is escaped."""
    spans = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(span if span.startswith("`") else re.sub(r"[<>*\\]", r"\\\g<0>", span) for span in spans)


def _code(text: str) -> str:
    """A label as published, blanks and all; a backtick in it needs a longer fence."""
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence} {text} {fence}" if text[0] in " `" or text[-1] in " `" else f"{fence}{text}{fence}"


def _link(url: str) -> str:
    parts = urlsplit(url)
    return f"[{parts.netloc}{parts.path.rstrip('/')}{'?...' if parts.query else ''}]({url})"


def _anchor(dataset: Dataset) -> str:
    """How the heading `source/dataset` is linked to."""
    return dataset.name.replace("/", "")


def _number(value: float) -> str:
    return f"{value:,}".removesuffix(".0")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


# --- Files ----------------------------------------------------------------------------------------------


def main() -> int:
    with MANIFEST.open(encoding="utf-8", newline="") as manifest:
        bundled = list(csv.DictReader(manifest))
    due = {DOCS / name: text for name, text in pages(registry.sources().values(), bundled).items()}
    left_over = set((DOCS / "sources").glob("*.md")) - set(due)
    if "--check" in sys.argv[1:]:
        wrong = [path for path, text in due.items() if not path.exists() or path.read_text("utf-8") != text]
        for path in sorted([*wrong, *left_over]):
            print(f"docs/{path.relative_to(DOCS)} is not what docs/render.py writes: run `make docs`")
        return 1 if wrong or left_over else 0
    for path in left_over:
        path.unlink()
    for path, text in due.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{_count(len(due), 'page')} in docs/, from {_count(len(registry.sources()), 'passport')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
