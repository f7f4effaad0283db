"""A small part of each campaign; `make torture` runs them in full, docs/torture.md has what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture import crowds, faults, killed, mutations, storage
from tidemark import archive, pipeline, registry, snapshot
from tidemark.reading import SourceFile, quoted
from tidemark.settings import Home
from tidemark.sources import parse

A_FEW = 12


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[killed.Undisturbed, Path]:
    folder = tmp_path_factory.mktemp("torture")
    return killed.undisturbed(killed.template(folder), folder), folder


@pytest.mark.parametrize(
    ("step", "part"),
    [
        (step, part)
        for step in killed.NAMES
        for part in (0.3, 0.8)
        # Half a minute each: once is enough here, and the campaign has thirty of each.
        if part > 0.5 or step not in ("build", "publish")
    ],
)
def test_a_killed_run_loses_nothing_and_its_rerun_comes_to_the_same(sound, step, part):
    undisturbed, folder = sound
    found = killed.Found(step, undisturbed.seconds[step])
    killed.kill(step, undisturbed, Home(folder / "killed"), part * undisturbed.seconds[step], found)
    assert found.broken == []
    assert found.reads > 0


@pytest.mark.parametrize("room", [None, 0], ids=["read-only", "full"])
@pytest.mark.parametrize("step", ["archive", "validate", "load", "publish"])
def test_a_disk_that_takes_nothing_more_is_a_clear_error_and_loses_nothing(sound, step, room):
    if (why := storage.available()) is not None:
        pytest.skip(why)
    case = storage.attempt(step, sound[0], room)
    assert case.broken == ()
    assert case.exit_code == 1
    assert "Traceback" not in case.said
    assert "->" in case.said


@pytest.mark.parametrize("what", [name for name in crowds.CASES if "build" not in name])
def test_two_at_once_are_serialised_or_told(sound, what):
    assert crowds.run(what, *sound).broken == ()


@pytest.mark.parametrize("name", mutations.names())
def test_mutations_are_refused_by_name_or_seen(name):
    found = mutations.attack(name, range(A_FEW))
    assert found.broken == []
    assert found.tried == A_FEW
    assert found.refused.total() + found.same_figures + found.valid + len(found.unseen) == A_FEW


def test_a_mutation_is_the_same_whenever_it_is_made():
    subject = mutations.subject("tic/slt_table5")
    assert mutations.mutated(subject, 17) == mutations.mutated(subject, 17)
    assert len({mutations.mutated(subject, number)[1] for number in range(100)}) > 80


def test_a_campaign_that_was_stopped_goes_on_where_it_stood(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(mutations, "names", lambda: ["tic/cited_first_prints", "bea/gdp"])
    whole = mutations.campaign(0.002, keep=tmp_path)
    assert [(one.dataset, one.tried) for one in whole] == [("tic/cited_first_prints", 10), ("bea/gdp", 10)]
    next(tmp_path.rglob("bea__gdp-*.json")).unlink()
    capfd.readouterr()
    again = mutations.campaign(0.002, keep=tmp_path)
    assert capfd.readouterr().err == "2 of 2: bea/gdp\n"
    assert [one.refused for one in again] == [one.refused for one in whole]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """What the faults are offered to: the datasets they are of, loaded."""
    home = Home(tmp_path_factory.mktemp("faults") / "home")
    for name in sorted({fault.dataset for fault in faults.FAULTS}):
        dataset = registry.dataset(name)
        pipeline.ingest(home, dataset, snapshot.bundled(dataset))
    return home


NOT_AT_THE_DOOR = {
    ("tic/slt_table5", "one country in trillions, All Other makes up for it"): "told",
    ("tic/slt_table5", "two countries swapped in two months alone"): "told",
    ("tic/slt_table5", "the last edition served again for months"): "clocks",
    ("tic/slt_table5", "total kept, parts moved by 40 billion"): "told",
    ("tic/slt_table5", "total kept, one month's parts moved by 3 billion"): "nobody",
    ("tic/slt_table5", "a holder's figures under a holder's name that is not in the table"): "told",
    ("wgc/holdings_api", "a country dropped"): "told",
}


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: f"{fault.dataset}: {fault.what}")
def test_a_silent_fault_is_caught_where_it_should_be(loaded, tmp_path, fault):
    before = {release.id for release in archive.releases(loaded, fault.dataset)}
    assert before
    caught = faults.offered(fault, loaded, tmp_path / "home", house=False)
    assert caught.by == NOT_AT_THE_DOOR.get((fault.dataset, fault.what), "door"), caught.said
    assert (caught.by == "nobody") == bool(fault.why_not)


@pytest.mark.parametrize("dataset", sorted({fault.dataset for fault in faults.FAULTS}))
def test_what_a_fault_is_made_of_is_sound(dataset):
    """Else the faults were refused for what they were made of, and not for what they are."""
    for fault in faults.FAULTS:
        if fault.dataset == dataset:
            base = fault.base
            assert len(
                quoted(parse(registry.dataset(dataset), SourceFile(base.file, base.data)).observations)
            )
            assert (
                fault.change(base.data) != base.data or "again" in fault.what or "old edition" in fault.what
            )
