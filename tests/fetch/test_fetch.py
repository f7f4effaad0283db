"""Fetching from publishers that behave, and from publishers in each of their moods."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests import standin
from tests.conftest import bundled_file
from tests.fetch.conftest import SetClock
from tidemark import archive, discovery, fetch, http, pipeline, registry, snapshot, warehouse
from tidemark.errors import FetchError, RefusedFileError, UsageError
from tidemark.settings import Home

TABLE5 = registry.dataset("tic/slt_table5")
JUNE = bundled_file("slt_table5_2026-06-18.txt").data
SEPTEMBER = bundled_file("slt_table5_2026-09-16.txt").data
FETCHED = [dataset for dataset in registry.datasets() if dataset.is_fetched]


@pytest.fixture
def client(publisher: standin.Publisher) -> Iterator[http.Client]:
    """Retries as in earnest, without the waiting between them."""
    with http.Client() as client:
        for adapter in client.session.adapters.values():
            adapter.max_retries = adapter.max_retries.new(backoff_factor=0, backoff_jitter=0)
        yield client


def outcomes(home: Home) -> list[tuple[str, str]]:
    return [(found["step"], found["result"]) for found in warehouse.pending_outcomes(home)]


# --- publishers that behave --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [d.name for d in FETCHED if snapshot.bundled(d)])
def test_the_newest_file_of_each_dataset_is_found_dated_and_is_what_was_served(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock, name: str
) -> None:
    dataset = registry.dataset(name)
    newest = snapshot.bundled(dataset)[-1]
    assert newest.released_on is not None
    # An evening at which it was due and asked for.
    set_clock(f"{newest.released_on}T23:30")
    url = publisher.publish(dataset, newest.data, newest.released_on)
    done = fetch.fetch(home, dataset, client)
    assert done.url == url
    (release,) = archive.releases(home, name)
    assert done.release == release.id
    assert archive.read(home, release) == newest.data
    # The calendar's day in the publisher's zone: at 23:30 UTC it is the next day already in Shanghai.
    assert abs((release.released_on - newest.released_on).days) <= (1 if dataset.source == "wgc" else 0)


@pytest.mark.parametrize("dataset", FETCHED, ids=lambda dataset: dataset.name)
def test_only_the_passports_hosts_are_asked(dataset: registry.Dataset) -> None:
    hosts = discovery.hosts(dataset)
    assert hosts
    assert all("." in host and not host.startswith("127.") for host in hosts)


def test_unchanged_bytes_are_an_outcome_and_no_load(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    set_clock("2026-06-18T20:05")
    publisher.publish(TABLE5, JUNE, date(2026, 6, 18))
    assert fetch.fetch(home, TABLE5, client).release == "tic/slt_table5@2026-06-18.0"
    assert fetch.fetch(home, TABLE5, client).release is None
    # Asked for news only, and answered so.
    assert publisher.statuses(TABLE5.url) == [200, 304]
    set_clock("2026-06-19T20:05")
    assert fetch.fetch(home, TABLE5, client).release is None
    assert publisher.statuses(TABLE5.url) == [200, 304, 200]
    assert len(archive.releases(home, TABLE5.name)) == 1
    assert [o for o in outcomes(home) if o[0] == "fetch"] == [
        ("fetch", "done"), ("fetch", "unchanged"), ("fetch", "unchanged"),
    ]  # fmt: skip


def test_changed_content_under_the_same_etag_is_found_on_the_next_day(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    set_clock("2026-09-16T20:05")
    publisher.serve(TABLE5.url, JUNE, etag='"same"')
    fetch.fetch(home, TABLE5, client)
    publisher.serve(TABLE5.url, SEPTEMBER, etag='"same"')
    assert fetch.fetch(home, TABLE5, client).release is None
    set_clock("2026-09-17T20:05")
    assert fetch.fetch(home, TABLE5, client).release == "tic/slt_table5@2026-09-17.0"


def test_a_file_that_comes_between_the_calendars_days_bears_the_day_of_the_fetch(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    """As after the shutdown of 2025: to say that it was out on the announced day would be untrue."""
    set_clock("2026-10-05T15:00")
    publisher.publish(TABLE5, SEPTEMBER, date(2026, 10, 5))
    assert fetch.fetch(home, TABLE5, client).release == "tic/slt_table5@2026-10-05.0"


def test_the_client_names_the_project(home: Home, publisher: standin.Publisher, client: http.Client) -> None:
    publisher.publish(TABLE5, JUNE, date(2026, 6, 18))
    fetch.fetch(home, TABLE5, client)
    assert publisher.asked[0][1]["User-Agent"].startswith("tidemark/")


def test_pages_are_joined_to_the_whole(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    set_clock("2026-08-21T20:00")
    debt = registry.dataset("fiscaldata/debt_to_penny")
    answer = json.loads(snapshot.bundled(debt)[-1].data)
    records = answer["data"]
    cuts = [0, 3000, 6000, len(records)]
    for number in (1, 2, 3):
        part = records[cuts[number - 1] : cuts[number]]
        meta = {"count": len(part), "total-count": len(records), "total-pages": 3}
        links = {"next": None if number == 3 else f"&page%5Bnumber%5D={number + 1}"}
        page = json.dumps({"data": part, "meta": meta, "links": links}).encode()
        publisher.serve(debt.url + (f"&page%5Bnumber%5D={number}" if number > 1 else ""), page)
    done = fetch.fetch(home, debt, client)
    assert done.release is not None
    release = archive.find(home, done.release)
    assert json.loads(archive.read(home, release))["data"] == records
    assert pipeline.validate_releases(home, debt, [done.release]) == [done.release]
    # A page that another count belongs to was read while the table changed.
    publisher.serve(
        debt.url + "&page%5Bnumber%5D=3", page.replace(b'"total-count": 8376', b'"total-count": 8377')
    )
    set_clock("2026-08-22T20:00")
    with pytest.raises(FetchError, match="counts 8377 records, and the first page 8376"):
        fetch.fetch(home, debt, client)


def test_an_attachment_that_moved_is_found_by_its_page(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    reserves = registry.dataset("safe/reserve_assets")
    before, newest = snapshot.bundled(reserves)[-2:]
    set_clock("2026-01-07T12:00")
    first = publisher.publish(reserves, before.data, date(2026, 1, 7), year=2025)
    assert fetch.fetch(home, reserves, client).release == "safe/reserve_assets@2026-01-07.0"
    set_clock("2026-10-07T12:00")
    second = publisher.publish(reserves, newest.data, date(2026, 10, 7))
    assert first != second
    assert fetch.fetch(home, reserves, client).release == "safe/reserve_assets@2026-10-07.0"


@pytest.mark.parametrize(
    "title",
    ["官方储备资产（2026年）", "官方储备资产(2026年)", "官方储备资产（2026）", " 官方储备资产\n(2026) "],
)
def test_safes_page_is_known_by_its_title_however_it_is_set(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock, title: str
) -> None:
    reserves = registry.dataset("safe/reserve_assets")
    set_clock("2026-10-07T12:00")
    publisher.publish(reserves, snapshot.bundled(reserves)[-1].data, date(2026, 10, 7))
    page = publisher.served[reserves.url]
    page.data = page.data.decode().replace("官方储备资产（2026年）", title).encode()
    assert fetch.fetch(home, reserves, client).release is not None


def test_what_no_program_gets_is_said_so(home: Home, client: http.Client) -> None:
    with pytest.raises(UsageError, match="no program gets wgc/holdings_ranking"):
        fetch.fetch(home, registry.dataset("wgc/holdings_ranking"), client)


# --- publishers that do not --------------------------------------------------------------------------------


def elsewhere(handler: standin.Handler, _served: standin.Served | None) -> None:
    handler.answer(302, b"", {"Location": "https://cdn.example.com/slt_table5.txt"})


MOODS: list[tuple[str, Callable[..., None], str]] = [
    ("404 with HTML", standin.answers(404, standin.HTML_404), "not_found"),
    ("HTML where the file is due", standin.answers(200, standin.HTML_404), "not_the_file"),
    ("403", standin.answers(403, standin.WALL), "blocked"),
    ("401", standin.answers(401), "blocked"),
    ("429 with Retry-After of an hour", standin.answers(429, Retry_After="3600"), "throttled"),
    ("500", standin.answers(500), "unreachable"),
    ("503", standin.answers(503), "unreachable"),
    ("hangs up", standin.hangs_up, "unreachable"),
    ("slow", standin.drips(0.2), "too_slow"),
    ("cut short", standin.cut_short, "cut_short"),
    ("endless", standin.endless, "too_many_bytes"),
    ("redirect elsewhere", elsewhere, "redirected_elsewhere"),
    ("no status of a file", standin.answers(204), "unexpected_answer"),
    ("empty", standin.answers(200, b""), "empty"),
    ("shrunken", standin.answers(200, SEPTEMBER[: len(SEPTEMBER) // 3]), "shrunken"),
    ("an old edition", standin.answers(200, JUNE), "frozen"),
]


def contents(home: Home) -> dict[str, Any]:
    connection = warehouse.connect(home)
    try:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' and table_name <> 'outcomes'"
        ).fetchall()
        return {name: connection.execute(f'from raw."{name}" order by all').fetchall() for (name,) in tables}
    finally:
        connection.close()


@pytest.mark.parametrize(("how", "outcome"), [m[1:] for m in MOODS], ids=[m[0] for m in MOODS])
def test_each_mood_has_its_name_changes_nothing_and_passes(
    home: Home,
    publisher: standin.Publisher,
    client: http.Client,
    set_clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
    how: standin.Misbehaviour,
    outcome: str,
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 2_000_000)
    for held, day in ((JUNE, "2026-06-18"), (SEPTEMBER, "2026-09-16")):
        set_clock(f"{day}T20:05")
        publisher.publish(TABLE5, held, date.fromisoformat(day))
        fetch.fetch(home, TABLE5, client)
    pipeline.ingest(home, TABLE5, [])
    before, releases = contents(home), archive.releases(home)

    set_clock("2026-10-16T20:05")
    publisher.misbehave(TABLE5.url, how)
    with monkeypatch.context() as patch:
        patch.setattr(http, "WHOLE_ANSWER_SECONDS", 3)
        with pytest.raises((FetchError, RefusedFileError)) as refused:
            fetch.fetch(home, TABLE5, client)
    assert refused.value.outcome == outcome
    assert refused.value.advice
    assert outcomes(home)[-1] == ("fetch", outcome)
    assert contents(home) == before
    assert archive.releases(home) == releases
    if isinstance(refused.value, RefusedFileError):
        # Its bytes are kept beside the reason.
        (reason,) = home.quarantine.rglob("reason.json")
        assert json.loads(reason.read_text("utf-8"))["outcome"] == outcome

    publisher.recover()
    publisher.serve(TABLE5.url, SEPTEMBER + b"\r\n")
    done = fetch.fetch(home, TABLE5, client)
    assert done.release == "tic/slt_table5@2026-10-16.0"
    assert [found for found in outcomes(home) if found[0] == "fetch"][-1] == ("fetch", "done")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_at_once_is_waited_for_within_one_look(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock, status: int
) -> None:
    set_clock("2026-06-18T20:05")
    publisher.publish(TABLE5, JUNE, date(2026, 6, 18))
    bad = standin.answers(status, Retry_After="1") if status == 429 else standin.answers(status)
    publisher.misbehave(TABLE5.url, standin.times(2, bad))
    assert fetch.fetch(home, TABLE5, client).release is not None
    assert publisher.statuses(TABLE5.url) == [status, status, 200]


def test_a_redirect_within_the_passports_hosts_is_followed(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    set_clock("2026-06-18T20:05")
    moved = TABLE5.url.replace("slt_table5", "new_table5")
    publisher.serve(moved, JUNE)
    publisher.misbehave(
        TABLE5.url, lambda handler, _: handler.answer(301, b"", {"Location": "new_table5.txt"})
    )
    assert fetch.fetch(home, TABLE5, client).release is not None
    publisher.misbehave(
        TABLE5.url, lambda handler, _: handler.answer(301, b"", {"Location": "slt_table5.txt"})
    )
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        fetch.fetch(home, TABLE5, client)


def test_a_page_that_no_longer_leads_to_the_file_says_so(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    reserves = registry.dataset("safe/reserve_assets")
    set_clock("2026-10-07T12:00")
    publisher.publish(reserves, snapshot.bundled(reserves)[-1].data, date(2026, 10, 7))
    page = publisher.served[reserves.url]
    page.data = page.data.decode().replace("官方储备资产", "外汇储备").encode()
    with pytest.raises(FetchError, match=r"has no link whose text is .*of 2 links") as moved:
        fetch.fetch(home, reserves, client)
    assert moved.value.outcome == "moved"


def test_without_a_network_the_host_is_unreachable(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(http.MIRROR_VARIABLE, "http://127.0.0.1:9")
    with (
        http.Client(retries=0) as client,
        pytest.raises(FetchError, match=r"cannot be reached: .*refused") as gone,
    ):
        fetch.fetch(home, TABLE5, client)
    assert gone.value.outcome == "unreachable"


def test_bytes_are_archived_before_anyone_reads_them(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    set_clock("2026-10-16T20:05")
    wrong = JUNE.replace(b"Country", b"Land")
    publisher.serve(TABLE5.url, wrong)
    done = fetch.fetch(home, TABLE5, client)
    assert done.release is not None
    with pytest.raises(RefusedFileError):
        pipeline.ingest(home, TABLE5, [])
    assert archive.object_path(home, archive.sha256(wrong)).read_bytes() == wrong
    # Refused, so it is no release; served again it is looked at again.
    assert archive.releases(home, TABLE5.name) == []
    assert fetch.fetch(home, TABLE5, client).release is not None


def test_the_notes_of_what_is_held_hold_nothing_up(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    set_clock("2026-06-18T20:05")
    publisher.publish(TABLE5, JUNE, date(2026, 6, 18))
    fetch.fetch(home, TABLE5, client)
    note: Path = home.fetched / "tic__slt_table5.json"
    note.write_text("{broken")
    assert fetch.fetch(home, TABLE5, client).release is None
    assert json.loads(note.read_text("utf-8"))["sha256"] == archive.sha256(JUNE)


def test_the_newest_edition_that_is_out_is_taken(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    """Edition 42 is the first quarter of 2026. In October the third is over, and its edition not out yet."""
    demand = registry.dataset("wgc/central_bank_demand")
    second, third = (demand.url.rpartition("/")[0] + f"/{number}" for number in (43, 44))
    publisher.serve(second, snapshot.bundled(demand)[-1].data)
    set_clock("2026-10-26T09:00")
    assert fetch.fetch(home, demand, client).url == second
    assert publisher.statuses(third) == [404]
    publisher.serve(third, snapshot.bundled(demand)[-1].data + b"\n")
    set_clock("2026-11-01T09:00")
    assert fetch.fetch(home, demand, client).url == third


def test_of_cbos_files_the_newest_vintage_is_taken_and_dated_by_its_commit(
    home: Home, publisher: standin.Publisher, client: http.Client, set_clock: SetClock
) -> None:
    budget = registry.dataset("cbo/ten_year_budget")
    older, newer = snapshot.bundled(budget)
    set_clock("2025-02-01T20:00")
    assert older.released_on is not None
    assert newer.released_on is not None
    publisher.publish(budget, older.data, older.released_on)
    assert fetch.fetch(home, budget, client).release == "cbo/ten_year_budget@2025-01-17.0"
    set_clock("2026-03-01T20:00")
    publisher.publish(budget, newer.data, newer.released_on)
    done = fetch.fetch(home, budget, client)
    assert done.release == "cbo/ten_year_budget@2026-02-11.0"
    assert done.url.endswith("/data/budget/ten_year_budget/annual_fy_2026-02.csv")
    listing = next(url for url in publisher.served if "/contents/" in url)
    publisher.serve(listing, json.dumps([{"name": "README.md"}]).encode())
    with pytest.raises(FetchError, match="has no file"):
        fetch.fetch(home, budget, client)
