"""What people read on the terminal: answers, loads, the state of things, and what went wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from tidemark import (
    archive,
    freshness,
    inbox,
    live,
    publish,
    query,
    rebuild,
    registry,
    release_file,
    warehouse,
)
from tidemark.errors import NothingPublishedError, TidemarkError
from tidemark.settings import HOME_VARIABLE, Home, project_root
from tidemark.warehouse import Loaded

if TYPE_CHECKING:
    from tidemark.cli import Format

# A pipe has no width: nothing is folded or cut there.
PIPE_WIDTH = 10_000


def console() -> Console:
    """Standard output: as wide as the terminal, as wide as need be elsewhere."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=PIPE_WIDTH, no_color=True)


def failure(error: TidemarkError) -> None:
    """An error on standard error: what was wrong and where, then what to do."""
    out = Console(stderr=True, highlight=False, soft_wrap=True)
    out.print(Text.assemble(("error: ", "bold red"), error.message))
    if error.advice:
        out.print(Text.assemble(("  -> ", "bold"), error.advice))


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> Table:
    """A plain table; columns of figures stand to the right, be they numbers or figures written out."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    cells = [list(row) for row in rows]
    for index, name in enumerate(columns):
        given = [row[index] for row in cells if row[index] is not None]
        figures = bool(given) and all(_is_figure(cell) for cell in given)
        table.add_column(name, justify="right" if figures else "left", overflow="fold")
    for row in cells:
        table.add_row(*(cell if isinstance(cell, Text) else _shown(cell) for cell in row))
    return table


def _is_figure(cell: Any) -> bool:
    if isinstance(cell, Text):
        return cell.justify == "right"
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _shown(cell: Any) -> Text:
    if cell is None:
        return Text("NULL", style="dim")
    if isinstance(cell, datetime):
        return Text(f"{cell:%Y-%m-%d %H:%M:%S}")
    if isinstance(cell, date):
        return Text(cell.isoformat())
    if isinstance(cell, float):
        return Text(f"{cell:.12g}")
    return Text(str(cell))


def show(answer: query.Answer, form: Format) -> None:
    """Print an answer; `csv` and `json` are for other programs and hold nothing else."""
    if form.value == "csv":
        sys.stdout.write(answer.as_csv())
    elif form.value == "json":
        print(answer.as_json())
    else:
        _print_rows(console(), answer.columns, answer.rows)
        rows = len(answer.rows)
        print(f"{rows:,} row{'' if rows == 1 else 's'}", file=sys.stderr)


def _print_rows(
    out: Console, columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None
) -> None:
    """A table; where it is too wide for the terminal, a column a line instead of folds beyond reading."""
    table = _table(columns, rows, title)
    unfolded = out.options.update(width=PIPE_WIDTH, max_width=PIPE_WIDTH)
    if Measurement.get(out, unfolded, table).maximum <= out.width:
        out.print(table)
        return
    if title:
        out.print(Text(title, style="bold"))
    width = max(len(name) for name in columns)
    for number, row in enumerate(rows, start=1):
        out.print(Text(f"row {number}", style="bold"))
        for name, cell in zip(columns, row, strict=True):
            shown = cell if isinstance(cell, Text) else _shown(cell)
            out.print(Text.assemble(f"  {name.ljust(width)}  ", shown), soft_wrap=True)


def loaded(releases: Iterable[Loaded]) -> None:
    for done in releases:
        what = (
            "already loaded" if done.already else f"{done.rows:,} of {done.cells:,} cells say something new"
        )
        late = f"; {done.replayed} later releases taken anew" if done.replayed else ""
        print(f"{done.release.id}: {what}{late}")


# --- publishers --------------------------------------------------------------------------------------------

ANSWER_STYLES = {"new": "green", "unchanged": "green"}


def asked(answers: Sequence[live.Asked]) -> None:
    """What came of asking the publishers, a line a dataset; then the reasons and the advice."""
    out = console()
    rows = [
        (
            one.dataset.name,
            Text(one.result, style=ANSWER_STYLES.get(one.result, "bold red")),
            one.release.partition("@")[2] if one.release else "",
            _counted(f"{one.bytes:,}" if one.bytes else ""),
            one.dataset.url.split("/")[2],
        )
        for one in answers
    ]
    out.print()
    out.print(_table(["dataset", "answer", "release", "bytes", "asked"], rows, title="Publishers"))
    reached = sum(one.is_reached for one in answers)
    print(f"\n{reached} of {len(answers)} datasets reached")
    told: dict[str, str] = {}
    for one in answers:
        if one.error is not None:
            told.setdefault(str(one.error.advice), one.error.message)
    for advice, message in told.items():
        failure(TidemarkError(message, advice))


def still_serving(home: Home) -> None:
    """When no publisher was reached: what readers have all the same."""
    try:
        published = publish.current(home)
    except NothingPublishedError:
        print("Nothing is published yet; without a network: make run")
        return
    print(f"Nothing was loaded. The published release still serves: {published.file}")


def filed(files: Sequence[inbox.Filed]) -> None:
    for one in files:
        if one.dataset is None:
            failure(TidemarkError(one.reason))
        else:
            print(f"{one.file}: recognised as {one.dataset}")


def rebuilt(made: rebuild.Rebuilt, check_only: bool) -> None:
    print(f"Rebuilt {made.tables} tables and views from {made.releases} archived releases.")
    if made.damage is not None:
        print(f"The warehouse that stood there cannot be read: {made.damage}")
    elif made.differs is None:
        print("There was no warehouse to compare with.")
    elif not made.differs:
        print("Their contents are identical to the warehouse's.")
    else:
        print("They differ from the warehouse in:")
        for name in made.differs:
            print(f"  {name}")
    if not check_only:
        print("The rebuilt warehouse has taken its place. Next: tidemark publish")


# --- claims ------------------------------------------------------------------------------------------------

VERDICT_STYLES = {
    "confirmed": "green",
    "confirmed_when_published": "green",
    "refuted": "bold red",
    "revised_unknown": "yellow",
    "not_covered": "dim",
    "error": "bold red",
}


def checked(file: Path, answer: query.Answer, form: Format) -> int:
    """Print the verdicts on the statements of a file; returns how many rows could not be checked."""
    statements = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    wrong = [statement for statement in statements if statement["verdict"] == "error"]
    if form.value == "table":
        _verdict_table([statement for statement in statements if statement["verdict"] != "error"])
    else:
        show(answer, form)
    for statement in wrong:
        named = f" ({statement['claim_id']})" if statement["claim_id"] else ""
        failure(TidemarkError(f"{file}, line {statement['line']}{named}: {statement['error']}"))
    return len(wrong)


def _verdict_table(statements: Sequence[dict[str, Any]]) -> None:
    out = console()
    rows = [
        (
            one["claim_id"],
            Text(one["verdict"], style=VERDICT_STYLES[one["verdict"]]),
            Text(
                f"{one['comparator'] + ' ' if one['comparator'] else ''}{one['claimed_value']} {one['unit']}"
            ),
            one["reason"],
            one["statement"] or f"{one['series']} {one['entity']} {one['measure']} {one['period_end']}",
        )
        for one in statements
    ]
    if rows:
        out.print(_table(["claim", "verdict", "claimed", "found", "statement"], rows))
    counts = {verdict: sum(one["verdict"] == verdict for one in statements) for verdict in VERDICT_STYLES}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    print(f"{len(statements)} statements: {said or 'none could be checked'}", file=sys.stderr)


# --- the answers at the end of a run ---------------------------------------------------------------------

TOP_TEN = """
    select holder_rank, holder_name, holdings_usd_bn, share_of_foreign_ratio, change_1m_usd_bn,
        change_12m_usd_bn, rank_gain_12m, period_end, max(released_on) over () as released_on
    from mart_top_holders where is_latest_month and holder_rank <= 10 order by holder_rank, holder_name
"""
# Of the last two years: the figure of a top-ten holder that moved most since its first print. A first print
# comes two months after its month; an earlier-known figure of older months is not one.
REVISED = """
    with latest as (select max(period_end) as period_end from mart_top_holders),
    moved as (
        select revisions.*,
            max(version) over (partition by revisions.holder_id, revisions.period_end) as last_version
        from fct_revisions as revisions
        where revisions.series = 'treasury_holdings'
            and revisions.holder_id in (
                select holder_id from mart_top_holders where is_latest_month and holder_rank <= 10
            )
            and revisions.period_end > (select period_end - interval 24 month from latest)
            and datediff('month', revisions.period_end, first_released_on) <= 2
    )
    select holder_name, period_end, first_value, first_released_on, value, released_on
    from moved where version = last_version and value is not null
    order by abs(revision_since_first_print) desc, holder_name, period_end limit 1
"""


def answers(home: Home, out: Console | None = None) -> None:
    """The end of `make run`: who holds most, a figure then and now, what was loaded, where, what next."""
    out = out or console()
    top = query.ask(home, TOP_TEN)
    if top.rows:
        month, released_on = top.rows[0][7], top.rows[0][8]
        out.print()
        out.print(
            _table(
                ["#", "holder", "USD bn", "share", "1 month", "12 months", "ranks in 12 months"],
                [
                    (
                        r[0],
                        r[1],
                        _figure(r[2]),
                        _figure(100 * r[3], "%"),
                        _signed(r[4]),
                        _signed(r[5]),
                        _moved(r[6]),
                    )
                    for r in top.rows
                ],
                title=f"Foreign holders of US Treasuries, {month:%B %Y} (as published by {released_on})",
            )
        )
    revised = query.ask(home, REVISED)
    if revised.rows:
        name, month, first, first_on, now, now_on = revised.rows[0]
        out.print()
        out.print(Text(f"{name}, {month:%B %Y}, then and now", style="bold"))
        out.print(f"  first published {first_on}   {first:,.1f} USD bn")
        out.print(f"  as it stands    {now_on}   {now:,.1f} USD bn   ({now - first:+,.1f})")
    _tell_claims(home, out)
    out.print()
    out.print(_by_source(home))
    published = publish.current(home)
    command, given = _command(), _home_option(home)
    out.print()
    out.print(f"Published release  {published.name}")
    out.print(f"  site             {_near(publish.site_of_current(home))}", soft_wrap=True)
    file = _near(home.current / release_file.FILE)
    out.print(f"  for BI tools     {file}  (open it read-only)", soft_wrap=True)
    out.print(f"  validations      {_near(home.data_docs / 'index.html')}", soft_wrap=True)
    out.print()
    out.print("Next")
    for line in (
        f'{command}{given} sql "select * from mart_top_holders where is_latest_month"',
        f"{command}{given} sql \"select * from fct_holdings where holder_id = 'CHN'\" --as-of 2025-12-20",
        f"{command}{given} open",
        f"{command}{given} check dbt_project/seeds/claims.csv",
        f"{command}{given} status",
        "make airflow",
    ):
        out.print(f"  {line}", soft_wrap=True)


def _tell_claims(home: Home, out: Console) -> None:
    """How many of the bundled statements hold, and one that did on its day."""
    counted = dict(query.ask(home, "select verdict, count(*) from fct_claim_checks group by all").rows)
    if not counted:
        return
    said = ", ".join(f"{counted[verdict]} {verdict}" for verdict in VERDICT_STYLES if verdict in counted)
    out.print()
    out.print(Text(f"{sum(counted.values())} published statements, held against the figures", style="bold"))
    out.print(f"  {said}", soft_wrap=True)
    for statement, reason in query.ask(
        home,
        "select statement, reason from fct_claim_checks where verdict = 'confirmed_when_published' "
        "order by measure <> 'level', published_on, claim_id limit 1",
    ).rows:
        out.print(f"  {statement}: {reason}", soft_wrap=True)


def _near(path: Path) -> Path:
    """A path as short as it can be said from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@dataclass(frozen=True)
class Held:
    """What the warehouse holds of a dataset, and what its suite last said (None: it never ran)."""

    dataset: registry.Dataset
    releases: int
    newest_release: date | None
    cells: int
    newest_figure: date | None
    verdict: str | None


def _by_source(home: Home) -> Table:
    """What stands in the warehouse, a row a source."""
    held = _held(home)
    rows = []
    for source in registry.sources().values():
        of_source = [one for one in held if one.dataset.source == source.id]
        loaded = [one for one in of_source if one.releases]
        # A projection's newest figure says nothing of how far the figures reach.
        figures = [
            one.newest_figure for one in loaded if one.newest_figure and not one.dataset.looks_ahead_days
        ]
        rows.append(
            (
                source.id,
                _counted(f"{len(loaded)} of {len(of_source)}"),
                sum(one.releases for one in loaded),
                _counted(f"{sum(one.cells for one in loaded):,}"),
                f"{max(figures):%Y-%m}" if figures else "none",
                _verdicts(of_source),
            )
        )
    return _table(
        ["source", "datasets", "releases", "cells", "newest figure", "suites"],
        rows,
        title="Loaded and validated",
    )


def _by_dataset(home: Home) -> Table:
    """What stands in the warehouse, a row a dataset."""
    rows = [
        (
            one.dataset.name,
            one.releases,
            one.newest_release,
            _counted(f"{one.cells:,}"),
            f"{one.newest_figure:%Y-%m}" if one.newest_figure else "none",
            _verdicts([one]),
        )
        for one in _held(home)
    ]
    return _table(
        ["dataset", "releases", "newest release", "cells", "newest figure", "suite"],
        rows,
        title="Loaded and validated",
    )


def _held(home: Home) -> list[Held]:
    held = []
    with warehouse.exclusive(home):
        connection = warehouse.connect(home)
        try:
            verdicts = dict(
                connection.execute(
                    "select dataset, arg_max(result, ended_at) from raw.outcomes "
                    "where step = 'validate' group by dataset"
                ).fetchall()
            )
            for dataset in registry.datasets():
                (loads,) = connection.execute(
                    "select count(*), max(released_on), cast(coalesce(sum(cells), 0) as bigint) "
                    "from raw.releases where dataset = ?",
                    [dataset.name],
                ).fetchall()
                (newest,) = connection.execute(
                    f"select max(period_end) from raw.\"{dataset.table}\" where status = 'published'"
                ).fetchall()
                verdict = _waiting_verdict(home, dataset.name) or verdicts.get(dataset.name)
                releases, newest_release, cells = loads
                held.append(Held(dataset, releases, newest_release, cells, newest[0], verdict))
        finally:
            connection.close()
    return held


def _waiting_verdict(home: Home, dataset: str) -> str | None:
    """The newest validation that no writer has put into the warehouse yet; it is newer than those there."""
    said = [
        str(outcome["result"])
        for outcome in warehouse.pending_outcomes(home)
        if outcome["dataset"] == dataset and outcome["step"] == "validate"
    ]
    return said[-1] if said else None


def _verdicts(held: Sequence[Held]) -> Text:
    """What the suites of these datasets last said, as one phrase."""
    refused = [one for one in held if one.verdict not in (None, "done")]
    if refused:
        named = ", ".join(f"{one.dataset.id}: {one.verdict}" for one in refused)
        return Text(f"refused: {named if len(held) > 1 else refused[0].verdict}", style="bold red")
    if all(one.verdict is None for one in held):
        return Text("not run", style="dim")
    return Text("passed", style="green")


def _counted(text: str) -> Text:
    return Text(text, justify="right")


def _figure(value: float | None, unit: str = "") -> Text:
    return Text("" if value is None else f"{value:,.1f}{unit}", justify="right")


def _signed(value: float | None) -> Text:
    if value is None:
        return Text("n/a", style="dim", justify="right")
    return Text(f"{value:+,.1f}", style="red" if value < 0 else "green", justify="right")


def _moved(ranks: int | None) -> Text:
    if not ranks:
        return Text("=" if ranks == 0 else "", justify="right")
    return Text(f"{'up' if ranks > 0 else 'down'} {abs(ranks)}", justify="right")


def _command() -> str:
    """How this reader calls the program: by the path in the checkout unless it is on the PATH."""
    program = project_root() / ".venv" / "bin" / "tidemark"
    on_path = any((entry := folder) and f"{entry}/tidemark" == str(program) for folder in os.get_exec_path())
    return "tidemark" if on_path or not program.exists() else ".venv/bin/tidemark"


def _home_option(home: Home) -> str:
    return "" if home == Home.find() and HOME_VARIABLE not in os.environ else f" --home {_near(home.root)}"


def published(home: Home) -> None:
    """The published releases that are kept, the last published first."""
    standing = publish.current(home).name
    rows = [
        (
            release.name,
            f"{datetime.fromtimestamp(release.folder.stat().st_mtime, UTC):%Y-%m-%d %H:%M}",
            "current" if release.name == standing else "",
            "yes" if publish.is_read(release.file) else "",
        )
        for release in publish.releases(home)
    ]
    console().print(_table(["release", "published (UTC)", "", "being read"], rows))


# --- status, sources -------------------------------------------------------------------------------------


def status(home: Home) -> None:
    """Loads, refusals and the published release of a home."""
    out = console()
    out.print(f"home       {home.root}", soft_wrap=True)
    try:
        published = publish.current(home)
        out.print(f"published  {published.name}  {published.file}", soft_wrap=True)
    except NothingPublishedError:
        out.print("published  nothing yet: make run")
    if not home.warehouse.exists():
        out.print("warehouse  nothing loaded yet: make run")
    else:
        out.print()
        out.print(_by_dataset(home))
        out.print()
        _freshness(out, home)
    waiting = [r for r in archive.releases(home) if not warehouse.is_loaded(home, r)]
    if waiting:
        out.print()
        out.print(
            _table(["release", "file"], [(r.id, r.file) for r in waiting], title="Archived, not loaded")
        )
    refused = [json.loads(path.read_text("utf-8")) for path in sorted(home.quarantine.rglob("reason.json"))]
    if refused:
        out.print()
        rows = [
            (
                r["dataset"] or "no dataset's",
                r["released_on"] or "undated",
                r["outcome"],
                r["message"],
                r["quarantined_at"][:10],
            )
            for r in refused
        ]
        columns = ["dataset", "release", "outcome", "what was wrong", "on"]
        _print_rows(out, columns, rows, title="In quarantine")


STATE_STYLES = {"fresh": "green", "late": "yellow", "frozen": "bold red", "unreachable": "bold red"}


def _freshness(out: Console, home: Home) -> None:
    """Two clocks of every dataset that is awaited: its newest figure, and when its publisher was asked."""
    states = [state for state in freshness.states(home) if state.dataset.is_awaited]
    rows = [
        (
            state.dataset.name,
            Text(state.state, style=STATE_STYLES.get(state.state, "dim")),
            state.since or "",
            state.newest_period_end or "",
            state.late_after or "",
            f"{state.last_asked_at:%Y-%m-%d %H:%M}" if state.last_asked_at else "never",
            state.last_answer or "",
        )
        for state in states
    ]
    columns = ["dataset", "state", "since", "newest figure", "next due by", "asked (UTC)", "answer"]
    out.print(_table(columns, rows, title="Freshness"))
    stale = [state for state in states if not state.is_well]
    unasked = [s.dataset.name for s in stale if s.state != "unreachable" and not s.is_asked]
    unanswered = [s.dataset.name for s in states if s.last_answer and not s.is_answered]
    if unasked:
        out.print(f"Nobody has asked for newer figures of {', '.join(unasked)}", soft_wrap=True)
        out.print(
            "  -> make live asks once, make airflow on the publishers' calendars; what no program gets, the "
            "inbox takes",
            soft_wrap=True,
        )
    if unanswered:
        out.print(f"When last asked, no good file came of {', '.join(unanswered)}", soft_wrap=True)
        out.print("  -> tidemark fetch SOURCE asks again, and says why", soft_wrap=True)
    for state in stale:
        if state.dataset.name not in (*unasked, *unanswered):
            out.print(Text.assemble((f"{state.dataset.name}  ", "bold"), state.told), soft_wrap=True)
            out.print(f"  -> {state.advice}", soft_wrap=True)


def sources() -> None:
    out = console()
    for source in registry.sources().values():
        out.print(Text.assemble((source.id, "bold"), f"  {source.publisher}: {source.title}"))
        out.print(
            f"  licence      {source.licence['name']} (redistribution: {source.licence['redistribution']})"
        )
        out.print(f"  attribution  {source.attribution}")
        out.print(
            _table(
                ["dataset", "state", "evidence", "title"],
                [
                    (dataset.name, dataset.state, dataset.evidence, dataset.title)
                    for dataset in source.datasets
                ],
            )
        )
