"""What is wrong with one country of Table 3 shows against the totals and the flows."""

import pytest

from tests.conftest import bundled_file, day
from tidemark import pipeline, registry
from tidemark.errors import FailedSuiteError, TruncatedFileError
from tidemark.snapshot import Incoming

FILE = "slt_table3_2026-06-18.txt"
LINES = bundled_file(FILE).data.split(b"\r\n")


def scaled(code: bytes, month: bytes, factor: int) -> bytes:
    """The table with every figure of one country and month multiplied."""
    out = []
    for line in LINES:
        cells = line.split(b"\t")
        if len(cells) > 3 and cells[1] == code and cells[2] == month:
            cells[3:] = [c if c == b"n.a." else str(int(c) * factor).encode() for c in cells[3:]]
        out.append(b"\t".join(cells))
    return b"\r\n".join(out)


def without(test) -> bytes:
    return b"\r\n".join(line for line in LINES if not test(line.split(b"\t")))


def swapped_months(code: bytes, one: bytes, other: bytes) -> bytes:
    months = {one: other, other: one}
    places = [i for i, line in enumerate(LINES) if line.split(b"\t")[1:3] in ([code, one], [code, other])]
    rows = [LINES[i].split(b"\t") for i in places]
    out = list(LINES)
    for place, row in zip(places, reversed(rows), strict=True):
        out[place] = b"\t".join([row[0], row[1], months[row[2]], *row[3:]])
    return b"\r\n".join(out)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (scaled(b"10189", b"2026-04", 1000), "countries listed|short-term net sales"),
        (scaled(b"41408", b"2026-04", 2), "short-term net sales"),
        (without(lambda cells: cells[1:2] == [b"41408"]), "the countries listed must have nearly all"),
        (without(lambda cells: cells[1:2] == [b"42609"]), "the countries listed must have nearly all"),
        (swapped_months(b"10189", b"2026-03", b"2026-02"), "short-term net sales"),
        (scaled(b"19992", b"2026-04", 2), "the regions and Canada"),
    ],
    ids=[
        "Austria x1000",
        "China x2",
        "China gone",
        "Japan gone",
        "two months of Austria swapped",
        "Europe x2",
    ],
)
def test_what_breaks_a_law_of_the_table_is_refused(home, data, said):
    dataset = registry.dataset("tic/slt_table3")
    with pytest.raises(FailedSuiteError, match=said) as refused:
        pipeline.ingest(home, dataset, [Incoming(FILE, data, day("2026-06-18"), dataset.url)])
    assert refused.value.line is not None


def test_a_table_that_begins_later_than_january_2020_is_refused(home):
    dataset = registry.dataset("tic/slt_table3")
    data = without(lambda cells: len(cells) > 2 and cells[2].startswith(b"2020-"))
    with pytest.raises(TruncatedFileError, match="begin in 2021-01"):
        pipeline.ingest(home, dataset, [Incoming(FILE, data, day("2026-06-18"), dataset.url)])
