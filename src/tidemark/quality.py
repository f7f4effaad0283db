"""Great Expectations at the door and before publication: suites as JSON in `expectations/`, Data Docs beside.

A suite belongs to a dataset (`expectations/tic/slt_table5.json`) or to a mart
(`expectations/marts/fct_holdings.json`). Bounds and tolerances stand once, in the passport, and reach the
suite as parameters (`{"$PARAMETER": "holdings_max"}`). Each expectation's `meta.says` is the sentence an
error repeats.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from filelock import FileLock

from tidemark import data_docs
from tidemark.errors import Problem, TidemarkError
from tidemark.registry import Dataset
from tidemark.settings import Home, project_root

FINDINGS_TOLD = 5


@dataclass(frozen=True)
class Verdict:
    """What a suite said: how many expectations it held, and what it found."""

    suite: str
    expectations: int
    problems: tuple[Problem, ...]

    @property
    def success(self) -> bool:
        return not self.problems


def suite_path(suite: str) -> Path:
    return project_root() / "expectations" / f"{suite}.json"


def parameters_of(dataset: Dataset) -> dict[str, float]:
    """The passport's bounds and tolerances under the names that suites use."""
    parameters: dict[str, float] = {}
    for name, measure in dataset.measures.items():
        parameters[f"{name}_min"] = measure.min
        parameters[f"{name}_max"] = measure.max
    if dataset.closing is not None:
        parameters["closing_tolerance"] = dataset.closing.tolerance
        parameters["closing_tolerance_below"] = -dataset.closing.tolerance
    return parameters


class Check(Protocol):
    """Runs a suite on a frame.

    `suite` is its path below `expectations/`, without `.json`; `run_name` is how Data Docs name the run. Give
    text columns pandas' string type: they validate twice as fast as objects.
    """

    def __call__(
        self, suite: str, frame: pd.DataFrame, run_name: str, parameters: dict[str, float] | None = None
    ) -> Verdict: ...


@contextmanager
def checking(home: Home) -> Iterator[Check]:
    """One or more validations, with one page each added to Data Docs at the end.

    Raises:
        TidemarkError: there is no such suite, it is no suite, or an expectation could not be computed.
    """
    # Imported here: it takes seconds, and most commands do not validate.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier

    home.root.mkdir(parents=True, exist_ok=True)
    pages: list[Any] = []
    with _quiet():
        context = _context(home)
        batches = context.data_sources.add_pandas(name="batch")

        prepared: dict[str, tuple[Any, Any, list[str]]] = {}

        def prepare(suite: str) -> tuple[Any, Any, list[str]]:
            """Two checkpoints for a suite, made once for all its batches, and the columns that name a row.

            The first says whether a batch passes, the second where it does not, which takes a third longer.
            """
            name = suite.replace("/", ".")
            content = _read_suite(suite)
            stored = context.suites.add(
                gx.ExpectationSuite(name=name, expectations=content["expectations"], meta=content.get("meta"))
            )
            asset = batches.add_dataframe_asset(name=name)
            definition = context.validation_definitions.add(
                gx.ValidationDefinition(
                    name=name, data=asset.add_batch_definition_whole_dataframe("whole"), suite=stored
                )
            )
            cell = _cell(content)
            places = cell if suite.startswith("marts/") else ["line", *cell]
            quick, thorough = (
                context.checkpoints.add(
                    gx.Checkpoint(
                        name=f"{name}.{result_format['result_format']}",
                        validation_definitions=[definition],
                        result_format=result_format,
                    )
                )
                for result_format in (
                    {"result_format": "BASIC"},
                    {"result_format": "COMPLETE", "unexpected_index_column_names": places},
                )
            )
            return quick, thorough, cell

        def check(
            suite: str, frame: pd.DataFrame, run_name: str, parameters: dict[str, float] | None = None
        ) -> Verdict:
            if suite not in prepared:
                prepared[suite] = prepare(suite)
            quick, thorough, cell = prepared[suite]
            run = {
                "batch_parameters": {"dataframe": frame},
                "expectation_parameters": parameters or {},
                "run_id": gx.RunIdentifier(
                    run_name=run_name.replace("/", "."), run_time=datetime.now().astimezone()
                ),
            }
            result = quick.run(**run)
            if not result.success:
                result = thorough.run(**run)
            ((page, validation),) = result.run_results.items()
            pages.extend([page, ExpectationSuiteIdentifier(name=page.expectation_suite_identifier.name)])
            problems = tuple(
                problem for found in validation.results for problem in _problems(suite, found, cell)
            )
            return Verdict(suite, len(validation.results), problems)

        unwritten: list[str] = []
        try:
            yield check
        finally:
            if pages:
                with FileLock(home.root / "data_docs.lock"), _errors_of_pages() as unwritten:
                    context.build_data_docs(resource_identifiers=pages, build_index=False)
                    data_docs.finish(home)
        if unwritten:
            raise TidemarkError(
                f"{home.data_docs} could not be written: {unwritten[0]}",
                "see that the folder can be written and the disk has room, and run it again",
            )


def _read_suite(suite: str) -> dict[str, Any]:
    path = suite_path(suite)
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise TidemarkError(
            f"{path} is missing", "every dataset and mart that is checked needs a suite"
        ) from None
    except json.JSONDecodeError as error:
        raise TidemarkError(f"{path} is no JSON: {error}", "mend the suite") from error
    return content


def _cell(suite: dict[str, Any]) -> list[str]:
    """The columns by which a finding is told: those of which the suite says that they name one row."""
    for expectation in suite["expectations"]:
        if expectation["type"] == "expect_compound_columns_to_be_unique":
            return list(expectation["kwargs"]["column_list"])
        if expectation["type"] == "expect_column_values_to_be_unique":
            return [expectation["kwargs"]["column"]]
    raise TidemarkError(
        f"{suite.get('name')} does not say which columns name a row",
        "every suite begins with expect_compound_columns_to_be_unique",
    )


def _context(home: Home) -> Any:
    """A context that keeps nothing in the project: results and Data Docs go below the home."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        FilesystemStoreBackendDefaults,
        ProgressBarsConfig,
    )

    stores = FilesystemStoreBackendDefaults(root_directory=_literal(home.quality))
    # Only results are kept. Suites stand in the project, how a batch was wired to one is nothing to look at
    # later, and a store on disk would be shared with other processes that validate.
    for kept, made_of in (
        ("expectations_store", "ExpectationsStore"),
        ("validation_definition_store", "ValidationDefinitionStore"),
        ("checkpoint_store", "CheckpointStore"),
    ):
        stores.stores[kept] = {
            "class_name": made_of,
            "store_backend": {"class_name": "InMemoryStoreBackend"},
        }
    stores.data_docs_sites = {
        "tidemark": {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": _literal(home.data_docs),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        }
    }
    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=stores, progress_bars=ProgressBarsConfig(globally=False)
        ),
    )


def _literal(path: Path) -> str:
    """Great Expectations takes what follows a dollar for a variable."""
    return str(path).replace("$", r"\$")


def _problems(suite: str, found: Any, of: Sequence[str]) -> list[Problem]:
    """The findings of one expectation as sentences, told by the columns `of`; none where it held."""
    if found.success:
        return []
    expectation = found.expectation_config
    raised = found.exception_info.get("exception_message") if found.exception_info else None
    if raised is None and found.exception_info:
        raised = next(
            (e["exception_message"] for e in found.exception_info.values() if isinstance(e, dict)), None
        )
    if raised:
        raise TidemarkError(f"{suite}: {expectation.type} could not be computed: {raised}", "mend the suite")
    says = expectation.meta.get("says", expectation.type) if expectation.meta else expectation.type
    column = expectation.kwargs.get("column")
    places = found.result.get("unexpected_index_list") or []
    if not places:
        observed = found.result.get("observed_value")
        return [Problem(None, f"{says} (found: {observed})" if observed is not None else says)]
    problems = []
    for place in places[:FINDINGS_TOLD]:
        line = place.get("line")
        cell = ", ".join(
            _word(place[name]) for name in of if name != column and place.get(name) not in (None, "")
        )
        value = f" is {_word(place[column])}" if column in place else ""
        name = "" if column in (None, "value") else f", {column}"
        problems.append(Problem(int(line) if pd.notna(line) else None, f"{cell}{name}{value}: {says}"))
    if len(places) > FINDINGS_TOLD:
        problems.append(Problem(None, f"and {len(places) - FINDINGS_TOLD:,} more like these"))
    return problems


def _word(value: Any) -> str:
    if value is pd.NaT:  # A datetime that has no day.
        return "NULL"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


@contextmanager
def _errors_of_pages() -> Iterator[list[str]]:
    """What kept Great Expectations from writing pages: it logs that, with a traceback, and goes on."""
    found: list[str] = []

    class Told(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            if record.levelno < logging.ERROR:
                return True
            cause = sys.exc_info()[1]
            found.append(str(cause) if cause is not None else record.getMessage()[:300])
            return False

    logger, told = logging.getLogger("great_expectations.render.renderer.site_builder"), Told()
    logger.addFilter(told)
    try:
        yield found
    finally:
        logger.removeFilter(told)


class _quiet:  # noqa: N801 - reads as the statement it is used in
    """Great Expectations logs every metric at INFO, hundreds of lines a run, once Airflow set up logging."""

    def __enter__(self) -> None:
        self.before = {name: logging.getLogger(name).level for name in ("great_expectations", "matplotlib")}
        for name in self.before:
            logging.getLogger(name).setLevel(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        for name, level in self.before.items():
            logging.getLogger(name).setLevel(level)
