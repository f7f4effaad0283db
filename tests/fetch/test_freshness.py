"""Two clocks, as days pass: fresh, late, frozen, unreachable, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import duckdb
import pytest

from tests import standin
from tests.conftest import bundled_file
from tests.fetch.conftest import SetClock
from tidemark import alerts, fetch, freshness, pipeline, registry, report, tasks, warehouse
from tidemark.errors import FetchError
from tidemark.settings import Home, project_root

TABLE5, HISTORY = registry.dataset("tic/slt_table5"), registry.dataset("tic/mfhhis01")
JUNE = bundled_file("slt_table5_2026-06-18.txt").data
RELEASED = date(2026, 6, 18)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(alerts, "send", lambda title, body: said.append((title, body)) or True)
    return said


@pytest.fixture
def loaded(home: Home, publisher: standin.Publisher, set_clock: SetClock) -> Home:
    """Table 5 and the history, as fetched on the day of release."""
    set_clock("2026-06-18T20:05")
    publisher.publish(TABLE5, JUNE, RELEASED)
    publisher.publish(HISTORY, bundled_file("mfhhis01_2026-03-18.txt").data, RELEASED)
    for dataset in (TABLE5, HISTORY):
        fetch.fetch(home, dataset)
        pipeline.ingest(home, dataset, [])
    return home


def state_of(home: Home, dataset: registry.Dataset) -> freshness.State:
    return next(state for state in freshness.states(home) if state.dataset == dataset)


def test_a_frozen_table5_is_late_then_frozen_with_dates_and_nothing_else_is(
    loaded: Home, publisher: standin.Publisher, set_clock: SetClock
) -> None:
    """The same bytes for sixty days, asked for on each of them."""
    seen: dict[str, date] = {}
    for days in range(61):
        today = RELEASED + timedelta(days=days)
        set_clock(f"{today}T23:30")
        assert fetch.fetch(loaded, TABLE5).release is None or days == 0
        fetch.fetch(loaded, HISTORY)
        state = state_of(loaded, TABLE5)
        seen.setdefault(state.state, today)
        if state.state in ("late", "frozen"):
            assert state.since == seen[state.state]
            with pytest.raises(freshness.StaleError, match=f"is {state.state} since {state.since}"):
                freshness.expect_fresh(loaded, TABLE5.name)
        freshness.expect_fresh(loaded, HISTORY.name)
        freshness.expect_fresh(loaded, "tic/mfh")
    # April's figures; those of May were due by 2026-07-14, and the budget allows until the 23rd.
    assert seen == {"fresh": RELEASED, "late": date(2026, 7, 24), "frozen": date(2026, 8, 8)}
    assert publisher.statuses(TABLE5.url).count(200) > 55
    assert "the publisher serves nothing newer" in state.told


def test_the_mart_says_what_status_says(loaded: Home, set_clock: SetClock) -> None:
    """Its SQL, on the day of asking, over every state that a dataset can be in."""
    sql = (project_root() / "dbt_project/models/marts/quality/mart_source_freshness.sql").read_text("utf-8")
    for days in (0, 36, 37, 51, 52, 400):
        today = RELEASED + timedelta(days=days)
        set_clock(f"{today}T12:00")
        states = {state.dataset.name: state for state in freshness.states(loaded)}
        with warehouse.writing(loaded) as connection:
            rows = connection.execute(_rendered(sql, today)).fetchall()
        assert len(rows) == len(states)
        for dataset, state, late_after in rows:
            assert (state, late_after) == (states[dataset].state, states[dataset].late_after), dataset


def _rendered(sql: str, today: date) -> str:
    """The model without dbt, on a day of the test's."""
    import jinja2

    body = sql.replace("current_date", f"date '{today}'")
    history = (
        "(select dataset, max(period_end) as newest_new_period_end from raw.observations group by dataset)"
    )
    rendered = jinja2.Template(body).render(
        config=lambda **_: "",
        source=lambda _, name: f"raw.{name}",
        ref=lambda _: history,
        add_days=lambda day, days: f"(cast({day} as date) + cast({days} as integer))",
    )
    return f"select dataset, state, late_after from ({rendered})"


def test_a_publisher_that_falls_silent_is_unreachable_until_it_speaks(
    loaded: Home, publisher: standin.Publisher, set_clock: SetClock
) -> None:
    publisher.misbehave(TABLE5.url, standin.answers(403, standin.WALL))
    for moment in ("2026-06-19T12:00", "2026-06-19T20:00"):
        set_clock(moment)
        with pytest.raises(FetchError):
            fetch.fetch(loaded, TABLE5)
        assert state_of(loaded, TABLE5).state == "fresh"
    set_clock("2026-06-20T09:00")
    with pytest.raises(FetchError):
        fetch.fetch(loaded, TABLE5)
    state = state_of(loaded, TABLE5)
    assert (state.state, state.since, state.last_answer) == ("unreachable", date(2026, 6, 19), "blocked")
    with duckdb.connect(str(loaded.warehouse), read_only=True) as connection:
        reachable = connection.execute("from raw.reachability").fetchall()
    assert reachable == [(TABLE5.name, date(2026, 6, 19), "blocked")]
    publisher.recover()
    set_clock("2026-06-21T09:00")
    fetch.fetch(loaded, TABLE5)
    assert state_of(loaded, TABLE5).state == "fresh"


def test_status_tells_both_clocks(
    loaded: Home, set_clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    set_clock("2026-07-30T12:00")
    report.status(loaded)
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if line.startswith("tic/slt_table5") and "late" in line)
    for part in ("2026-07-24", "2026-04-30", "2026-07-23", "2026-06-18 20:05", "done"):
        assert part in line
    assert "Nobody has asked for newer figures of tic/slt_table5" in out


def test_a_state_is_told_once_and_its_end_too(
    loaded: Home, set_clock: SetClock, told: list[tuple[str, str]]
) -> None:
    def daily(today: str) -> None:
        set_clock(f"{today}T23:30")
        fetch.fetch(loaded, TABLE5)
        try:
            tasks.expect_fresh(TABLE5.name)
        except freshness.StaleError as stale:
            tasks.alert("freshness/tic.slt_table5", str(stale), "")
        else:
            tasks.all_clear("freshness/tic.slt_table5")

    for today in ("2026-07-20", "2026-07-24", "2026-07-25", "2026-07-26", "2026-08-08", "2026-08-09"):
        daily(today)
    assert [("late since 2026-07-24" in body, "frozen since 2026-08-08" in body) for _, body in told] == [
        (True, False), (False, True),
    ]  # fmt: skip
    assert all("-> open https://ticdata.treasury.gov" in body for _, body in told)
    with warehouse.writing(loaded) as connection:
        connection.execute("update raw.tic__slt_table5 set period_end = period_end + 31")
    daily("2026-08-11")
    assert told[-1][0] == "Tidemark: freshness/tic.slt_table5 is well again"


Webhook = Callable[[], list[dict[str, str]]]


def test_alerts_are_off_unless_somebody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(alerts.VARIABLE, raising=False)
    assert alerts.send("title", "body")


def test_an_address_that_is_none_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(alerts.VARIABLE, "nonsense://")
    assert not alerts.send("title", "body")


def test_alerts_go_by_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a mail server that takes whatever comes, by SMTP."""
    import socket
    import threading

    server = socket.create_server(("127.0.0.1", 0))
    received: list[str] = []

    def serve() -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rw", newline="\r\n", encoding="utf-8") as line:

            def say(text: str) -> None:
                line.write(text + "\r\n")
                line.flush()

            say("220 stand-in")
            data = False
            for text in line:
                received.append(text.rstrip("\r\n"))
                if data:
                    if received[-1] == ".":
                        data = False
                        say("250 taken")
                elif text.upper().startswith("DATA"):
                    data = True
                    say("354 go on")
                elif text.upper().startswith("QUIT"):
                    say("221 bye")
                    return
                else:
                    say("250 ok")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = server.getsockname()[1]
    monkeypatch.setenv(
        alerts.VARIABLE, f"mailto://127.0.0.1:{port}?from=t@example.org&to=me@example.org&mode=insecure"
    )
    assert alerts.send("Tidemark: tic/slt_table5 is late", "since 2026-07-25")
    thread.join(10)
    server.close()
    assert any("Tidemark: tic/slt_table5 is late" in text for text in received)
    assert any("since 2026-07-25" in text for text in received)
