"""Damage at random: a parser reads observations or refuses the file, and never fails in another way."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import bundled_file
from tidemark import registry, sources
from tidemark.errors import RefusedFileError
from tidemark.reading import PUBLISHED, SourceFile

DATASETS = {dataset.id: dataset for dataset in registry.select("tic")}
FILES = {
    "slt_table5": bundled_file("slt_table5_2026-06-18.txt"),
    "mfh": bundled_file("mfh_2023-03-15.txt"),
    "cited_first_prints": bundled_file("cited_first_prints_2025-12-18.csv"),
}
LARGE_FILES = {
    "slt_table3": bundled_file("slt_table3_2026-06-18.txt"),
    "mfhhis01": bundled_file("mfhhis01_2026-03-18.txt"),
}

# A place in a file, in parts of 10,000: floats would be drawn mostly near a few round ones.
PLACE = st.integers(0, 9_999).map(lambda part: part / 10_000)
BYTE_DAMAGE = st.tuples(st.sampled_from(["flip", "delete", "insert"]), PLACE, st.integers(0, 255))
# Bytes that mean something to a reader of tables come often, or one would rarely meet them.
TELLING_DAMAGE = st.tuples(
    st.sampled_from(["flip", "insert"]), PLACE, st.sampled_from(b'0123456789\t\r\n ",.-*/\x00\x0b\x1aAn')
)
LINE_DAMAGE = st.tuples(st.sampled_from(["drop", "double", "move", "join", "untab", "swap"]), PLACE, PLACE)
DAMAGE = st.lists(st.one_of(BYTE_DAMAGE, TELLING_DAMAGE, LINE_DAMAGE), min_size=1, max_size=4)

many_times = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
a_few_times = settings(many_times, max_examples=20)


def damage_bytes(data: bytes, how: str, place: float, byte: int) -> bytes:
    at = int(place * len(data))
    before, after = data[:at], data[at:]
    if how == "insert":
        return before + bytes([byte]) + after
    if how == "delete":
        return before + after[1 + byte % 8 :]
    return before + bytes([byte]) + after[1:]


def damage_lines(data: bytes, how: str, place: float, other: float) -> bytes:
    lines = data.split(b"\n")
    at, to = int(place * len(lines)), int(other * len(lines))
    line = lines[at]
    separator = b"\t" if b"\t" in line else b"," if b"," in line else b" "
    cells = line.split(separator)
    if how == "drop":
        del lines[at]
    elif how == "double":
        lines.insert(to, line)
    elif how == "move":
        lines.insert(to, lines.pop(at))
    elif how == "join":
        lines[at : at + 2] = [b"".join(lines[at : at + 2])]
    elif how == "untab":
        lines[at] = line.replace(separator, b" ", 1 + to % 3)
    else:
        left, right = int(place * len(cells)), int(other * len(cells))
        cells[left], cells[right] = cells[right], cells[left]
        lines[at] = separator.join(cells)
    return b"\n".join(lines)


def damaged(data: bytes, damages) -> bytes:
    for how, place, more in damages:
        damage = damage_bytes if how in ("flip", "delete", "insert") else damage_lines
        data = damage(data, how, place, more)
    return data


def read_or_refused(read, layout: str, file: SourceFile):
    try:
        return read(DATASETS[layout], file)
    except RefusedFileError as error:
        return error


def assert_read_or_refused(layout: str, data: bytes) -> None:
    file, last_line = SourceFile("damaged.txt", data), data.count(b"\n") + 1
    parsed = read_or_refused(sources.parse, layout, file)
    for result in (parsed, read_or_refused(sources.edition_date, layout, file)):
        if isinstance(result, RefusedFileError):
            assert result.message.startswith(file.name)
            assert result.advice
            assert result.line is None or 1 <= result.line <= last_line
    if not isinstance(parsed, RefusedFileError):
        observations = parsed.observations
        assert len(observations) > 0
        assert observations["value"].notna().equals(observations["status"] == PUBLISHED)
        assert observations["line"].between(1, last_line).all()
        assert len(sources.with_checks(DATASETS[layout], observations)) == len(observations)
        assert not observations["label"].str.contains(r"[\x00-\x08\x0b-\x1f]").any()


@pytest.mark.parametrize("layout", FILES)
@many_times
@given(damages=DAMAGE)
def test_damage_is_read_or_refused(layout, damages):
    assert_read_or_refused(layout, damaged(FILES[layout].data, damages))


@pytest.mark.parametrize("layout", FILES)
@many_times
@given(damages=st.lists(TELLING_DAMAGE, min_size=1, max_size=2))
def test_a_byte_or_two_are_read_or_refused(layout, damages):
    assert_read_or_refused(layout, damaged(FILES[layout].data, damages))


@pytest.mark.parametrize("layout", LARGE_FILES)
@a_few_times
@given(damages=DAMAGE)
def test_damage_of_large_files_is_read_or_refused(layout, damages):
    assert_read_or_refused(layout, damaged(LARGE_FILES[layout].data, damages))


@pytest.mark.parametrize("layout", DATASETS)
@many_times
@given(data=st.binary(max_size=400))
def test_bytes_at_random_are_refused(layout, data):
    with pytest.raises(RefusedFileError):
        sources.parse(DATASETS[layout], SourceFile("random.txt", data))


@pytest.mark.parametrize("layout", FILES)
@many_times
@given(figure=st.from_regex(r"\A-?[0-9.,eE+*na()]{1,8}\Z"))
def test_a_figure_is_read_as_written_or_refused(layout, figure):
    row, old = {
        "slt_table5": (b"China, Mainland\t", b"651.1"),
        "mfh": (b"China, Mainland".ljust(30), b"   859.4"),
        "cited_first_prints": (b'"China, Mainland",2025-10,', b"688.7"),
    }[layout]
    new = figure.rjust(len(old)).encode("ascii") if layout == "mfh" else figure.encode("ascii")
    data = FILES[layout].data
    assert row + old in data
    file = SourceFile("figure.txt", data.replace(row + old, row + new))
    parsed = read_or_refused(sources.parse, layout, file)
    if isinstance(parsed, RefusedFileError):
        return
    (line,) = (n for n, text in enumerate(data.split(b"\n"), start=1) if text.startswith(row + old))
    cell = parsed.observations[parsed.observations["line"] == line].iloc[0]
    assert cell["status"] == {"*": "suppressed", "n.a.": "not_available"}.get(figure, PUBLISHED)
    if cell["status"] == PUBLISHED:
        assert cell["value"] == float(figure)
        assert not set(figure) & set("eE+,")
