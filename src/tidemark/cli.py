"""The command line. Exit codes: 0 done, 1 failed (validation, upstream), 2 wrong use."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tidemark import (
    __version__,
    archive,
    build,
    claims,
    inbox,
    pipeline,
    publish,
    query,
    registry,
    report,
    snapshot,
    warehouse,
)
from tidemark import fetch as fetching
from tidemark import live as asking
from tidemark import rebuild as rebuilding
from tidemark.errors import TidemarkError, UsageError
from tidemark.settings import HOME_VARIABLE, RESTRICTED_VARIABLE, Home

app = typer.Typer(
    help="Who holds US Treasuries, what changed, and every figure as first published and as it stands today.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tidemark {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option("--home", help=f"Where everything is kept. Default: ${HOME_VARIABLE}, or data/."),
    ] = None,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = Home.find(home)


@contextmanager
def telling(describe: str) -> Iterator[build.Progress]:
    """Progress of long work: a bar on a terminal, plain lines elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        last = [""]

        def line(done: int, total: int, _what: str) -> None:
            if (
                total
                and (text := f"{describe}: {done} of {total}") != last[0]
                and done in (total, total // 2)
            ):
                print(text, file=sys.stderr)
                last[0] = text

        print(describe, file=sys.stderr)
        yield line
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(describe, total=None)

        def bar(done: int, total: int, what: str) -> None:
            progress.update(task, completed=done, total=total, description=f"{describe} {what}"[:60])

        yield bar


@app.command()
def run(
    context: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print the answers at the end.")] = False,
) -> None:
    """Run every DAG once through Airflow, headless, on the bundled snapshot, and print the answers."""
    from tidemark import orchestrate

    home: Home = context.obj
    report.filed(inbox.file_by_content(home))
    with telling("Starting Airflow") as progress:
        orchestrate.run(home, progress)
    if not quiet:
        report.answers(home)


@app.command()
def live(context: typer.Context) -> None:
    """Ask every publisher for its newest file, then run the pipeline on what came.

    Exit code 1 if a publisher was not reached or gave no good file; what the others gave is published.
    """
    home: Home = context.obj
    report.filed(inbox.file_by_content(home))
    with telling("Asking the publishers") as progress:
        asked = asking.ask_all(home, progress)
    report.asked(asked)
    if not any(one.is_reached for one in asked):
        report.still_serving(home)
        raise typer.Exit(1)
    from tidemark import orchestrate

    with telling("Starting Airflow") as progress:
        orchestrate.run(home, progress)
    report.answers(home)
    if any(one.error is not None for one in asked):
        raise typer.Exit(1)


@app.command()
def fetch(
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="SOURCE[/DATASET]", help="Such as tic, or tic/slt_table5.")
    ],
) -> None:
    """Ask a publisher for its newest files, and archive what is new; load it with: tidemark ingest."""
    home: Home = context.obj
    datasets = registry.select(target)
    chosen = [dataset for dataset in datasets if dataset.is_fetched]
    if not chosen:
        fetching.fetch(home, datasets[0])  # says why no program gets it
    with telling(f"Asking for {target}") as progress:
        asked = asking.ask_all(home, progress, chosen)
    report.asked(asked)
    if any(one.error is not None for one in asked):
        raise typer.Exit(1)
    print(f"Next: tidemark ingest {target}")


@app.command()
def rebuild(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Compare only: the warehouse stays as it is.")
    ] = False,
) -> None:
    """Make the warehouse anew from the archive alone, and compare it with the one that stands.

    Exit code 1 if they differ.
    """
    with telling("Rebuilding from the archive") as progress:
        made = rebuilding.rebuild(context.obj, replace=not check, progress=progress)
    report.rebuilt(made, check)
    if made.differs:
        raise typer.Exit(1)


@app.command()
def airflow(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port of the user interface.")] = 8080,
) -> None:
    """Start Airflow's user interface and scheduler here, with the DAGs in it, until interrupted."""
    from tidemark import orchestrate

    orchestrate.serve(context.obj, port)


@app.command()
def ingest(
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="SOURCE[/DATASET]", help="Such as tic, or tic/slt_table5.")
    ],
    file: Annotated[
        Path | None, typer.Option("--file", help="A file of that dataset; else the snapshot and the inbox.")
    ] = None,
    released_on: Annotated[
        datetime | None,
        typer.Option(
            "--released-on",
            formats=["%Y-%m-%d"],
            help="The day on which the file was published; without --file, which archived release to load.",
        ),
    ] = None,
) -> None:
    """Archive, validate and load: what is bundled, was fetched or waits in the inbox, or one file."""
    home: Home = context.obj
    if file is None and released_on is None:
        report.filed(inbox.file_by_content(home))
    datasets = registry.select(target)
    if file is not None and len(datasets) != 1:
        raise UsageError(
            f"--file needs one dataset, and {target} has {len(datasets)}",
            f"name it: {', '.join(dataset.name for dataset in datasets)}",
        )
    failed: list[TidemarkError] = []
    for dataset in datasets:
        try:
            again: list[str] = []
            if file is not None:
                incoming = [pipeline.from_file(dataset, file, released_on.date() if released_on else None)]
            elif released_on is not None:
                incoming, again = [], pipeline.archived_on(home, dataset, released_on.date())
            else:
                incoming = [*snapshot.bundled(dataset), *inbox.waiting(home, dataset)]
            with telling(f"Loading {dataset.name}"):
                loaded = pipeline.ingest(home, dataset, incoming, again)
        except UsageError:
            raise
        except TidemarkError as error:
            failed.append(error)
            report.failure(error)
            continue
        report.loaded(loaded)
        if not loaded and released_on is not None:
            print(f"{dataset.name}: no release of {released_on:%Y-%m-%d} is archived; see: tidemark releases")
        elif not loaded:
            print(
                f"{dataset.name}: no release is bundled and none waits in {inbox.folder(home, dataset)}; "
                "give a file: --file"
            )
    if failed:
        where = (
            f"\nThe refused bytes and the reason stand in {home.quarantine}"
            if home.quarantine.exists()
            else ""
        )
        print(
            f"{len(failed)} of {len(datasets)} datasets failed; the warehouse is as it was.{where}",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    print("Next: tidemark build && tidemark publish")


@app.command("build")
def build_command(context: typer.Context) -> None:
    """Build the marts with dbt, run dbt's tests, and validate the marts."""
    with telling("Building the marts") as progress:
        begun = build.build(context.obj, progress)
    with telling("Validating the marts"):
        verdicts = build.validate_marts(context.obj)
        build.remember_built(context.obj, begun)
    held = sum(verdict.expectations for verdict in verdicts)
    print(f"The marts are built; {held} expectations on {len(verdicts)} marts hold.")
    print("Next: tidemark publish")


@app.command()
def docs(context: typer.Context) -> None:
    """Write dbt's page on every model: its columns and units, its SQL, what it is made of, who reads it."""
    with telling("Documenting the models"):
        page = build.document(context.obj)
    print(f"Documented: {page}")


@app.command("publish")
def publish_command(
    context: typer.Context,
    include_restricted: Annotated[
        bool,
        typer.Option(
            "--include-restricted",
            envvar=RESTRICTED_VARIABLE,
            help="Take in the raw tables of sources whose licence allows an extract only; "
            "for releases that nobody else reads.",
        ),
    ] = False,
) -> None:
    """Publish the marts: a new release, and `current` pointing at it."""
    with telling("Publishing"):
        published = publish.publish(context.obj, restricted=include_restricted)
    print(f"{'Published' if published.is_new else 'Unchanged'}: {published.file}")


@app.command()
def rollback(
    context: typer.Context,
    release: Annotated[
        str | None,
        typer.Argument(metavar="[RELEASE]", help="A published release, by its name; none: which there are."),
    ] = None,
) -> None:
    """Point `current` back at a release that was published before.

    It stays there until something new is loaded, or somebody publishes.
    """
    if release is None:
        report.published(context.obj)
        return
    print(f"Current: {publish.rollback(context.obj, release).file}")


@app.command()
def mirror(
    context: typer.Context,
    url: Annotated[
        str, typer.Argument(metavar="URL", help="postgresql://user@host/database; password by PGPASSWORD.")
    ],
    schema: Annotated[str, typer.Option(help="The schema that holds the marts.")] = "tidemark",
    role: Annotated[
        str, typer.Option(help="A role without login that may read them; grant it to readers.")
    ] = "tidemark_reader",
) -> None:
    """Copy the marts of the published release into PostgreSQL, in one transaction."""
    from tidemark import mirror as mirroring

    with telling("Mirroring"):
        made = mirroring.mirror(context.obj, url, schema, role)
    print(f"Mirrored {made.release}: {made.tables} tables, {made.rows:,} rows, in the schema {made.schema}")


@app.command("open")
def open_command(context: typer.Context) -> None:
    """Open the site of the published release in a browser."""
    page = publish.site_of_current(context.obj)
    print(page)
    if not webbrowser.open(page.as_uri()):
        print("No browser opens here: open that file in one.", file=sys.stderr)


@app.command()
def status(context: typer.Context) -> None:
    """What is loaded, how new it is, what was refused, and what is published."""
    report.status(context.obj)


@app.command()
def sources() -> None:
    """The publishers, their datasets and their licences, from the passports."""
    report.sources()


@app.command()
def releases(
    context: typer.Context,
    target: Annotated[str | None, typer.Argument(metavar="[SOURCE[/DATASET]]")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Every release in the archive: its date, its bytes, and whether it is loaded."""
    home: Home = context.obj
    names = {dataset.name for dataset in registry.select(target)} if target else None
    rows = [
        (
            r.dataset, r.released_on, r.reissue, r.evidence, r.file, r.bytes, r.sha256,
            "loaded" if warehouse.is_loaded(home, r) else "waiting",
        )
        for r in archive.releases(home)
        if names is None or r.dataset in names
    ]  # fmt: skip
    columns = ["dataset", "released_on", "reissue", "evidence", "file", "bytes", "sha256", "state"]
    report.show(query.Answer(columns, rows), form)


archive_app = typer.Typer(no_args_is_help=True, help="Look after the archive: every byte that arrived.")
app.add_typer(archive_app, name="archive")


@archive_app.command("verify")
def archive_verify(context: typer.Context) -> None:
    """Read every byte of the archive and compare it with the hash by which it is kept.

    Exit code 1 if one bit is not as it arrived: names the file, and what rests on it.
    """
    home: Home = context.obj
    with telling("Reading the archive"):
        found = archive.verify(home)
        # An entry that cannot be read is told; to compare the others would stop at it.
        problems = list(found.problems) or warehouse.entries_that_differ(home)
    if not found.releases:
        raise TidemarkError(f"the archive at {home.archive} is empty", "load something: tidemark ingest tic")
    if problems:
        raise TidemarkError(
            "\n".join(["the archive is damaged", *(f"     {problem}" for problem in problems)]),
            f"restore what is named from a backup of {home.archive}; the warehouse and the published release "
            "are as they were",
        )
    print(f"{found.objects:,} files of {found.releases:,} releases are, to the bit, what arrived")


@app.command()
def sql(
    context: typer.Context,
    statement: Annotated[
        str | None,
        typer.Argument(metavar="[SQL]", help="A query against the published release; none: a shell."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of", formats=["%Y-%m-%d"], help="Show the figures as they were known on that day."
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Ask the published release in SQL, e.g. tidemark sql "select * from mart_top_holders limit 5".

    Without SQL: a shell with history and completion, or the statements that come by a pipe.
    """
    day = as_of.date() if as_of else None
    if statement is None:
        from tidemark import shell

        shell.run(context.obj, day, form)
        return
    report.show(query.ask(context.obj, statement, day), form)


@app.command()
def check(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="CLAIMS.csv", help="Statements, in the columns of docs/claims.md.")
    ],
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Hold published statements against the figures, as they stand today and as known on the day.

    Exit code 1 if a row could not be checked: the error names it. The others are checked all the same.
    """
    if report.checked(file, claims.check(context.obj, file), form):
        raise typer.Exit(1)


def guarded(call: Callable[[], object]) -> int:
    """Run the command line; errors of our own become a sentence and an exit code, never a traceback."""
    try:
        call()
    except TidemarkError as error:
        report.failure(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:  # a full disk, a folder that may not be written
        where = f" ({error.filename})" if error.filename else ""
        report.failure(
            TidemarkError(
                f"{error.strerror or error}{where}",
                "see that the folder can be written and the disk has room, or give another --home",
            )
        )
        return 1
    except duckdb.Error as error:  # the same, told by DuckDB; or a file that is damaged
        report.failure(
            TidemarkError(
                str(error).strip(),
                "see that the folder can be written and the disk has room; a damaged warehouse is made anew "
                "from the archive: tidemark rebuild",
            )
        )
        return 1
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0


def entry() -> None:
    sys.exit(guarded(app))


if __name__ == "__main__":
    entry()
