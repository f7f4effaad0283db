"""A release against the one before it: units that leap, a past that is blanked, a parser that breaks."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from tests.conftest import bundled_file, day
from tidemark import archive, pipeline, precedent, registry, snapshot, sources
from tidemark.archive import Release
from tidemark.errors import ImplausibleChangeError, UnreadableFileError, WrongLayoutError
from tidemark.snapshot import Incoming

GOLD = registry.dataset("wgc/holdings_api")
TABLE5 = registry.dataset("tic/slt_table5")
CITED = registry.dataset("tic/cited_first_prints")


@pytest.fixture
def gold_home(home):
    pipeline.ingest(home, GOLD, snapshot.bundled(GOLD))
    return home


def metric(change):
    """The newest bundled answer, with each country's figures as `change(country, figure)` makes them."""
    answer = json.loads(snapshot.bundled(GOLD)[-1].data)
    for country in answer["chartData"]["linechart"]["QTD_FULL"]["gold_reserves_tns"]["data"]:
        for point in country["data"]:
            point[1] = change(country["name"], point[1])
    return json.dumps(answer).encode()


def offer(home, data, on="2026-09-20"):
    return pipeline.ingest(home, GOLD, [Incoming("later.json", data, day(on), GOLD.url)])


def state(home):
    return sorted(str(path.relative_to(home.archive)) for path in (home.archive / "releases").rglob("*.*"))


def test_one_countrys_figures_in_another_unit_are_refused(gold_home):
    before = state(gold_home)
    with pytest.raises(ImplausibleChangeError) as caught:
        offer(gold_home, metric(lambda name, tonnes: round(tonnes / 1000, 5) if name == "POL" else tonnes))
    assert "POL" in caught.value.message
    assert "another unit; and 5 more cells like it" in caught.value.message
    assert "2026-08" in caught.value.message
    assert state(gold_home) == before


@pytest.fixture
def june(home):
    """A home whose archive holds Table 5 of June 2026, the release of September, and its observations."""
    file = bundled_file("slt_table5_2026-06-18.txt")
    archive.register(home, TABLE5, file.data, day("2026-06-18"), file.name, TABLE5.url)
    later = bundled_file("slt_table5_2026-09-16.txt")
    release, _ = archive.register(home, TABLE5, later.data, day("2026-09-16"), later.name, TABLE5.url)
    return home, release, sources.parse(TABLE5, later).observations


def test_true_releases_pass(june):
    precedent.expect_plausible(june[0], TABLE5, june[1], june[2])


def test_two_countries_that_changed_places_are_refused_though_every_sum_closes(june):
    home, release, _ = june
    names = {"Japan": "China, Mainland", "China, Mainland": "Japan"}
    before = sources.parse(TABLE5, bundled_file("slt_table5_2026-06-18.txt")).observations
    swapped = before.assign(label=before["label"].replace(names))
    with pytest.raises(
        ImplausibleChangeError, match=r"has every figure that .* had in the release of 2026-06"
    ):
        precedent.expect_plausible(home, TABLE5, release, swapped)


@pytest.mark.parametrize(("months", "how"), [(1, "later"), (-1, "earlier")])
def test_figures_under_the_month_beside_theirs_are_refused(june, months, how):
    home, release, _ = june
    before = sources.parse(TABLE5, bundled_file("slt_table5_2026-06-18.txt")).observations
    moved = before.assign(period_end=before["period_end"] + pd.offsets.MonthEnd(months))
    with pytest.raises(ImplausibleChangeError, match=rf"stands a period {how} .* and \d+ more series"):
        precedent.expect_plausible(home, TABLE5, release, moved)


def test_one_cell_in_another_unit_is_named_with_both_figures(june):
    home, release, batch = june
    here = (batch["label"] == "Japan") & (batch["period_end"] == "2026-01-31")
    batch.loc[here, "value"] *= 1000
    with pytest.raises(ImplausibleChangeError) as caught:
        precedent.expect_plausible(home, TABLE5, release, batch)
    assert caught.value.message.startswith(
        f"{release.file}, line {batch.loc[here, 'line'].item()}: Japan, 2026-01-31"
    )
    assert "in the release of 2026-06-18: another unit" in caught.value.message


def test_right_bytes_under_the_day_of_a_wrong_release_are_no_leap(june):
    home, release, batch = june
    wrong = Release(**{**vars(release), "released_on": day("2026-06-18"), "reissue": 1})
    precedent.expect_plausible(home, TABLE5, wrong, batch.assign(value=batch["value"] / 1000))


@pytest.mark.parametrize(("blanked", "refused"), [(12, False), (13, True)])
def test_a_past_that_is_blanked_is_refused(june, blanked, refused):
    # June's and September's editions share ten months of 24 rows; one in twenty of them is twelve.
    home, release, batch = june
    known = batch[
        (batch["period_end"] <= "2026-04-30") & (batch["label"].isin(["Japan", "Grand Total"]))
    ].index
    batch.loc[known[:blanked], ["value", "status"]] = [float("nan"), "not_available"]
    if refused:
        with pytest.raises(ImplausibleChangeError, match="is missing, and was"):
            precedent.expect_plausible(home, TABLE5, release, batch)
    else:
        precedent.expect_plausible(home, TABLE5, release, batch)


def test_what_a_parser_breaks_on_is_set_aside_and_holds_nothing_up(home, monkeypatch):
    def breaks(file):
        raise OverflowError("int too large to convert to float")

    with monkeypatch.context() as patch:
        patch.setitem(sources._module(CITED).PARSERS, CITED.id, breaks)
        with pytest.raises(UnreadableFileError) as caught:
            pipeline.ingest(home, CITED, snapshot.bundled(CITED)[:1])
    assert "OverflowError: int too large" in caught.value.message
    assert list(home.quarantine.rglob("reason.json"))
    assert pipeline.ingest(home, CITED, snapshot.bundled(CITED))


def test_only_bundled_files_may_leave_cells_out(gold_home):
    with pytest.raises(WrongLayoutError) as caught:
        offer(gold_home, metric(lambda name, tonnes: tonnes))
    assert "'not quoted' stands in it" in caught.value.message
