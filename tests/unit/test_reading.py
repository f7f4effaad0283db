"""Cells read at once: as each is read alone, and without a file growing into something else."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark import registry, sources
from tidemark.errors import BadFigureError, RefusedFileError, TruncatedFileError, WrongEncodingError
from tidemark.reading import MISSING, Cells, SourceFile, read_figure, read_figures, text_columns

FILE = SourceFile("cells", b"")
PIECES = [
    "",
    "0",
    "7",
    "12",
    "651",
    "-",
    ".",
    ",",
    " ",
    "5",
    "00",
    "n.a.",
    "*",
    "e5",
    "\t",
    "NaN",
    "9" * 21,
]
TOKENS = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)


def each_alone(texts: list[str], decimals: int | None) -> list[tuple[float | None, str]]:
    return [
        read_figure(FILE, place + 1, text, f"cell {place}", MISSING, decimals)
        for place, text in enumerate(texts)
    ]


@given(texts=st.lists(TOKENS, max_size=12), decimals=st.sampled_from([None, 1, 2]))
def test_many_figures_are_read_as_each_alone(texts, decimals):
    def at_once() -> list[tuple[float | None, str]]:
        values, statuses = read_figures(
            FILE, texts, lambda place: place + 1, lambda place: f"cell {place}", MISSING, decimals
        )
        return list(zip(values.to_pylist(), statuses.to_pylist(), strict=True))

    assert outcome(at_once) == outcome(lambda: each_alone(texts, decimals))


def outcome(read: Callable[[], list[tuple[float | None, str]]]) -> list[tuple[float | None, str]] | str:
    try:
        return read()
    except BadFigureError as error:
        return str(error)


def test_whole_figures_have_no_point():
    with pytest.raises(BadFigureError):
        read_figures(FILE, ["6259.0"], lambda _: 1, lambda _: "a figure", decimals=0)


@pytest.mark.parametrize(("text", "named"), [("Belgium", BadFigureError), ("2.0", TruncatedFileError)])
def test_a_figure_above_is_named_before_what_follows_from_it(text, named):
    def gather() -> None:
        with Cells(FILE, ["label"], lambda cell: f"{cell['label']} of {cell['period_end']}") as cells:
            cells.add(3, ["1.0", text], label="Japan", period_end=["May", "June"], measure="holdings")
            raise TruncatedFileError(FILE.name, 32, "the table is cut off", "fetch it again")

    with pytest.raises(RefusedFileError) as caught:
        gather()
    assert type(caught.value) is named
    assert caught.value.line == (3 if named is BadFigureError else 32)
    assert ("Japan of June is 'Belgium'" in caught.value.message) == (named is BadFigureError)


@pytest.mark.parametrize("half", [rb"\ud800", rb"\uDFFF", rb"\ude00\ud83d"])
@pytest.mark.parametrize("place", ["key", "label", "figure"])
def test_half_a_character_is_refused_in_json(half, place):
    data = b'{\n "data": [{"label": "Japan", "figure": "1.0"}]}'
    named = {"key": b"data", "label": b"Japan", "figure": b"1.0"}[place]
    with pytest.raises(WrongEncodingError) as caught:
        _ = SourceFile("answer", data.replace(named, b"a" + half)).json
    assert (caught.value.line, "half a character" in caught.value.message) == (2, True)


def test_a_whole_pair_and_an_escaped_backslash_are_text():
    data = rb'{"a": "\ud83d\ude00", "b": "\\ud800"}'
    assert SourceFile("answer", data).json == {"a": "\U0001f600", "b": r"\ud800"}


@pytest.mark.parametrize("length", [1_000, 1_100_000, 3_000_000])
def test_a_line_may_be_as_long_as_it_likes(length):
    columns = text_columns(["a,b", "c," + "d" * length, ",", '"e,f"'], ["one", "other"], ",")
    assert columns["one"].to_pylist() == ["a", "c", "", '"e']
    assert [len(text) for text in columns["other"].to_pylist()] == [1, length, 0, 2]


def test_a_table_of_names_that_are_all_different_stays_small():
    """A product of all names and all days would be four million pairs."""
    rows = [
        f"c{number},x,y,{1 + number // 12:04d}-{number % 12 + 1:02d}-01,True,False,2000,1,1.0"
        for number in range(2000)
    ]
    header = (
        "component,category,subcategory,baseline_date,Spring_flag,Winter_flag,"
        "projected_fiscal_year,projected_year_number,value"
    )
    data = "\n".join([header, *rows, ""]).encode()
    tracemalloc.start()
    try:
        with pytest.raises(RefusedFileError):
            sources.parse(registry.dataset("cbo/baselines"), SourceFile("hostile", data))
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


def test_floats_are_the_nearest():
    values, _ = read_figures(FILE, ["0.1", "14443.6", "38999999999999.99"], lambda _: 1, lambda _: "")
    assert values.to_pylist() == [0.1, 14443.6, 38999999999999.99]
    assert math.copysign(1, read_figures(FILE, ["-0"], lambda _: 1, lambda _: "")[0][0].as_py()) == -1
