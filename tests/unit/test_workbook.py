"""Workbooks: what is none is refused by name; of what is one every cell counts, within bounds."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart

from tidemark.errors import (
    BadFigureError,
    EmptyFileError,
    NotTheFileError,
    RefusedFileError,
    TooLargeError,
    TruncatedFileError,
    WrongLayoutError,
)
from tidemark.reading import NOT_AVAILABLE, PUBLISHED, SourceFile
from tidemark.settings import project_root
from tidemark.workbook import MAX_TAGS, MAX_UNPACKED, Workbook, plain

OFFICE = b"application/vnd.openxmlformats-officedocument.spreadsheetml."
PACKAGE = b"http://schemas.openxmlformats.org/package/2006/"
MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATED = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ONE = b'<row r="1"><c r="A1"><v>1</v></c></row>'


def parts(
    data: bytes = ONE, *, strings: bytes = b"", styles: bytes = b"", head: bytes = b"", tail: bytes = b""
) -> dict[str, bytes]:
    """The parts of a workbook with one sheet `A`, whose `sheetData` is given as XML."""

    def kind(name: bytes, what: bytes) -> bytes:
        return b'<Override PartName="/xl/%s" ContentType="%s%s+xml"/>' % (name, OFFICE, what)

    found = {
        "[Content_Types].xml": b'<Types xmlns="%scontent-types"><Default Extension="rels" ContentType="'
        b'application/vnd.openxmlformats-package.relationships+xml"/>'
        % PACKAGE
        + kind(b"workbook.xml", b"sheet.main")
        + kind(b"worksheets/sheet1.xml", b"worksheet")
        + (kind(b"sharedStrings.xml", b"sharedStrings") if strings else b"")
        + (kind(b"styles.xml", b"styles") if styles else b"")
        + b"</Types>",
        "xl/workbook.xml": b'<workbook %s xmlns:r="%s"><sheets>' % (MAIN, RELATED)
        + b'<sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": b'<Relationships xmlns="%srelationships"><Relationship Id="rId1" '
        b'Type="%s/worksheet" Target="worksheets/sheet1.xml"/></Relationships>' % (PACKAGE, RELATED),
        "xl/worksheets/sheet1.xml": b"<worksheet %s>%s<sheetData>%s</sheetData>%s</worksheet>"
        % (MAIN, head, data, tail),
    }
    if strings:
        found["xl/sharedStrings.xml"] = b"<sst %s>%s</sst>" % (MAIN, strings)
    if styles:
        found["xl/styles.xml"] = b"<styleSheet %s>%s</styleSheet>" % (MAIN, styles)
    return found


def zipped(found: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, content in found.items():
            target.writestr(name, content)
    return out.getvalue()


def made(rows, title="A") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet(data: bytes, title="A"):
    return Workbook(SourceFile("damaged", data)).sheet(title)


def of_xml(data: bytes, **more):
    return sheet(zipped(parts(data, **more)))


def refusal(data: bytes, kind: type[RefusedFileError], title="A") -> RefusedFileError:
    with pytest.raises(RefusedFileError) as caught:
        sheet(data, title)
    error = caught.value
    assert type(error) is kind, error
    assert str(error).startswith("damaged")
    assert error.advice
    return error


# --- What is no workbook --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (b"", EmptyFileError, "empty"),
        (b"\x00" * 512, EmptyFileError, "empty"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html></html>", NotTheFileError, "web page"),
        (b'{"error":"login"}', NotTheFileError, "JSON"),
        (b"403 Forbidden\n", NotTheFileError, "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), NotTheFileError, "encrypted"),
        (b"PK\x05\x06" + bytes(18), NotTheFileError, "zip"),
        (zipped({"figures.csv": b"1,2\n"}), NotTheFileError, "holds no workbook"),
        (zipped({"word/document.xml": b"<w/>"}), NotTheFileError, "holds no workbook"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_called_by_its_name(data, kind, says):
    assert says in refusal(data, kind).message


def test_a_file_published_under_a_workbooks_name_is_refused(publisher_files):
    refusal((publisher_files / "safe/not_an_xlsx.xlsx").read_bytes(), NotTheFileError)


def test_real_workbooks_are_read_within_bounds(publisher_files):
    files = sorted(publisher_files.glob("*/*.xlsx"))
    read = 0
    for path in files:
        if path.name == "not_an_xlsx.xlsx":
            continue
        book = Workbook(SourceFile(path.name, path.read_bytes()))
        read += sum(len(book.sheet(title).rows) > 0 for title in book.titles)
    assert read > 20


def test_a_zip_cut_off_anywhere_is_refused():
    data = made([[n, "text", n / 3] for n in range(200)])
    sheet(data, "A")
    for cut in (
        *range(1, 200, 7),
        *range(200, len(data), len(data) // 60),
        *range(len(data) - 60, len(data)),
    ):
        with pytest.raises(RefusedFileError):
            sheet(data[:cut])


def test_a_part_with_a_changed_byte_is_never_read_as_it_stands():
    found = parts(b"".join(b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (n, n, n) for n in range(1, 300)))
    data = zipped(found, zipfile.ZIP_STORED)
    at = data.index(b"<v>250</v>") + 3
    refusal(data[:at] + b"9" + data[at + 1 :], TruncatedFileError)
    packed = zipped(found)
    for at in range(30, len(packed), len(packed) // 80):
        damaged = packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :]
        try:
            rows = sheet(damaged).rows
        except RefusedFileError:
            continue
        assert rows == [(n,) for n in range(1, 300)]


def test_an_encrypted_zip_and_a_part_twice_are_refused():
    data = bytearray(zipped(parts()))
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1
    assert "encrypted" in refusal(bytes(data), NotTheFileError).message
    other = zipped(parts() | {"xl/worksheets/sheet2.xml": b"<worksheet/>"})
    twice = other.replace(b"xl/worksheets/sheet2.xml", b"xl/worksheets/sheet1.xml")
    assert "twice" in refusal(twice, NotTheFileError).message


@pytest.mark.parametrize(
    "doctype", [b'<!DOCTYPE x [<!ENTITY a "aaaa">]>', b'<!DOCTYPE x SYSTEM "file:///etc/hosts">']
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml"])
def test_a_part_that_declares_entities_is_refused(doctype, part):
    found = parts()
    found[part] = doctype + found[part]
    assert part in refusal(zipped(found), NotTheFileError).message


def test_a_part_in_another_encoding_hides_nothing():
    found = parts()
    found["xl/worksheets/sheet1.xml"] = found["xl/worksheets/sheet1.xml"].decode().encode("utf-16")
    assert "no XML" in refusal(zipped(found), NotTheFileError).message


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("[Content_Types].xml", NotTheFileError),
        ("xl/workbook.xml", NotTheFileError),
        ("xl/_rels/workbook.xml.rels", TruncatedFileError),
        # openpyxl leaves out a sheet whose part is not there.
        ("xl/worksheets/sheet1.xml", WrongLayoutError),
        ("xl/sharedStrings.xml", TruncatedFileError),
    ],
)
def test_a_part_that_is_missing_is_missed(part, kind):
    found = parts(strings=b"<si><t>Gold</t></si>")
    del found[part]
    refusal(zipped(found), kind)


@pytest.mark.parametrize("part", ["[Content_Types].xml", "xl/workbook.xml", "xl/sharedStrings.xml"])
def test_a_part_whose_xml_has_no_end_is_refused(part):
    found = parts(strings=b"<si><t>Gold</t></si>")
    found[part] = found[part][: found[part].rindex(b"</")]
    refusal(zipped(found), TruncatedFileError)


def test_a_sheet_whose_rows_have_no_end_is_refused():
    found = parts()
    whole = found["xl/worksheets/sheet1.xml"]
    for cut in range(whole.index(b"<sheetData>"), whole.index(b"</sheetData>") + 11):
        refusal(zipped(found | {"xl/worksheets/sheet1.xml": whole[:cut]}), TruncatedFileError)


# --- Bounds ---------------------------------------------------------------------------------------------


def test_a_zip_bomb_is_refused_by_what_it_says_it_unpacks_to():
    bomb = zipped(parts() | {"xl/media/image1.png": bytes(MAX_UNPACKED + 1)})
    assert len(bomb) < 100_000
    assert "would unpack to" in refusal(bomb, TooLargeError).message
    refusal(zipped(parts() | {f"xl/x{n}.xml": b"<x/>" for n in range(1001)}), TooLargeError)


def test_a_zip_bomb_that_lies_about_its_size_is_refused():
    content = b"<worksheet %s><sheetData>%s" % (MAIN, b"<row/>" * 2_000_000)
    data = bytearray(zipped(parts() | {"xl/worksheets/sheet1.xml": content}))
    size = struct.pack("<I", len(content))
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = struct.pack("<I", 1000)
    refusal(bytes(data), TruncatedFileError)


@pytest.mark.parametrize(
    "found",
    [
        parts(b"<row/>" * MAX_TAGS),
        parts(strings=b"<si/>" * MAX_TAGS),
        parts(styles=b"<cellXfs>" + b"<xf/>" * 40_000 + b"</cellXfs>"),
        parts(strings=b"<si><t>" + b"x" * 400_000 + b"</t></si>"),
    ],
    ids=["rows", "texts", "styles", "one text"],
)
def test_more_of_anything_than_a_workbook_has_is_refused(found):
    refusal(zipped(found), TooLargeError)


def test_declared_dimensions_are_not_believed():
    for declared in (b"A1:XFD1048576", b"A1:A1", b"B7:C9"):
        found = of_xml(b'<row r="2"><c r="B2"><v>5</v></c></row>', head=b'<dimension ref="%s"/>' % declared)
        assert found.rows == [(), (None, 5)]


def test_blank_cells_far_away_are_nothing():
    """As SAFE's sheets have them, down to row 3,891."""
    found = of_xml(
        ONE + b'<row r="3891"><c r="CK3891" s="0"/></row><row r="1048576"><c r="XFD1048576"/></row>'
    )
    assert found.rows == [(1,)]
    assert found.last_column(1) == 1


@pytest.mark.parametrize(
    "far",
    [
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b'<row r="5000"><c r="A5000"><v>1</v></c></row>',
        b'<row r="4001"><c r="A4001"><v>1</v></c></row>',
        b'<row r="2"><c r="XFD2"><v>1</v></c></row>',
        b'<row r="2"><c r="OK2"><v>1</v></c></row>',
        b'<row r="99999999999"><c><v>1</v></c></row>',
    ],
)
def test_a_cell_far_away_is_not_overlooked(far):
    assert "beyond" in refusal(zipped(parts(ONE + far)), TooLargeError).message


@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="2"><c r="A2"><v>2</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>',
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1"><c r="A1"><v>9</v></c></row>',
        b'<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>9</v></c></row>',
        b'<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>9</v></c></row>',
        b'<row r="1"><c r="A7"><v>1</v></c></row>',
        b'<row r="0"><c><v>1</v></c></row>',
        b'<row r="-5"><c><v>1</v></c></row>',
        b'<row r="x"><c><v>1</v></c></row>',
        b'<row r="1"><c r="ZZZZ1"><v>1</v></c></row>',
        b'<row r="1"><c r="A1" t="s"><v>7</v></c></row>',
        b'<row r="1"><c r="A1"><v>NaN</v></c></row>',
        b'<row r="1"><c r="A1"><v>1,000</v></c></row>',
    ],
)
def test_rows_and_cells_twice_out_of_order_or_damaged_are_refused(rows):
    assert "sheet 'A'" in str(refusal(zipped(parts(rows)), TruncatedFileError))


def test_rows_and_cells_without_numbers_are_counted():
    assert of_xml(b"<row><c><v>1</v></c><c/><c><v>3</v></c></row><row/><row><c><v>4</v></c></row>").rows == [
        (1, None, 3),
        (),
        (4,),
    ]


# --- Cells ----------------------------------------------------------------------------------------------


def test_a_sheet_is_found_by_its_exact_title():
    error = refusal(made([[1]], "Prices "), WrongLayoutError, "Prices")
    assert "'Prices '" in error.message
    assert sheet(made([[1]], "Prices "), "Prices ").cell(1, 1) == 1


def test_a_chart_is_no_sheet_of_cells():
    book = openpyxl.Workbook()
    book.create_chartsheet("Chart").add_chart(BarChart())
    out = io.BytesIO()
    book.save(out)
    refusal(out.getvalue(), WrongLayoutError, "Chart")


def test_cells_count_from_one_and_beyond_the_last_are_blank():
    found = sheet(made([["a", None, 2.0], [], [None, " b\u00a0\u3000c "]]))
    assert [found.text(1, n) for n in (1, 2, 3, 4)] == ["a", "", "2", ""]
    assert found.text(3, 2) == "b c"
    assert (found.cell(0, 1), found.cell(9, 1), found.cell(2, 1)) == (None, None, None)
    assert [found.last_column(n) for n in (1, 2, 3, 9)] == [3, 0, 2, 0]


def test_blanks_of_every_kind_are_one_space():
    assert plain(" 7,415\u00a0\u00a0\n\u3000万盎司\ufeff ") == "7,415 万盎司"


def test_figures_are_numbers_or_numbers_as_text():
    found = sheet(made([[1, 2.5, "3.25\u00a0", "-4", "n.a.", " .. "]]))
    marks = {"n.a.": NOT_AVAILABLE, "..": NOT_AVAILABLE}
    assert [found.figure(1, n, "f", marks) for n in range(1, 5)] == [
        (1.0, PUBLISHED), (2.5, PUBLISHED), (3.25, PUBLISHED), (-4.0, PUBLISHED),
    ]  # fmt: skip
    assert [found.figure(1, n, "f", marks) for n in (5, 6)] == [(None, NOT_AVAILABLE)] * 2


def test_inline_and_shared_texts_read_the_same():
    found = of_xml(
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>Gold</t></is></c><c r="B1" t="s"><v>0</v></c>'
        b'<c r="C1" t="str"><v>Gold</v></c>'
        b'<c r="D1" t="inlineStr"><is><r><t>Go</t></r><r><t>ld</t></r></is></c></row>',
        strings=b"<si><r><t>Go</t></r><r><t>ld</t></r></si>",
    )
    assert [found.text(1, n) for n in range(1, 5)] == ["Gold"] * 4


def test_a_formula_counts_with_the_value_stored_beside_it():
    found = of_xml(
        b'<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1"><f>1+1</f></c>'
        b'<c r="C1" t="str"><f>"n.a."</f><v>n.a.</v></c></row>'
    )
    assert found.figure(1, 1, "f") == (2.0, PUBLISHED)
    assert found.figure(1, 3, "f") == (None, NOT_AVAILABLE)
    with pytest.raises(BadFigureError, match=r"B1.*formula without its value"):
        found.figure(1, 2, "f")


def test_a_workbook_of_formulas_that_nobody_computed_has_no_figures():
    found = sheet(made([["=1+1", "=SUM(A1:A1)"]]))
    for column in (1, 2):
        with pytest.raises(BadFigureError, match="formula without its value"):
            found.figure(1, column, "f")


@pytest.mark.parametrize(
    "value",
    [None, "", " ", "text", "1,234", "1e5", "#REF!", "#N/A", "#VALUE!", "#DIV/0!", True, False,
     date(2026, 1, 1), datetime(2026, 1, 1, 12), time(12, 30), timedelta(hours=30)],
)  # fmt: skip
def test_what_is_no_figure_is_refused_with_its_cell(value):
    found = sheet(made([["x", value]]))
    with pytest.raises(BadFigureError) as caught:
        found.figure(1, 2, "gold, 2026-01")
    assert str(caught.value).startswith("damaged, sheet 'A', line 1: gold, 2026-01 (B1) ")


def test_error_cells_and_infinities_are_no_figures():
    found = of_xml(
        b'<row r="1"><c r="A1" t="e"><v>#REF!</v></c><c r="B1"><v>1e999</v></c>'
        b'<c r="C1" t="b"><v>1</v></c><c r="D1"><v>' + b"9" * 400 + b"</v></c></row>"
    )
    for column in (1, 2, 3, 4):
        with pytest.raises(BadFigureError):
            found.figure(1, column, "f")


# --- Memory ---------------------------------------------------------------------------------------------

PEAK = """
import sys
from pathlib import Path
from tidemark.errors import RefusedFileError
from tidemark.reading import SourceFile
from tidemark.workbook import Workbook
try:
    print(len(Workbook(SourceFile("f", Path(sys.argv[1]).read_bytes())).sheet("A").rows))
except RefusedFileError as error:
    print(type(error).__name__)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
LONG = ("x" * 290_000 + "\U0001f600").encode()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is told by Linux")
@pytest.mark.parametrize(
    ("found", "result"),
    [
        (lambda: parts(), "1"),
        (lambda: parts((b"<row>" + b"<c><v>1.5</v></c>" * 399 + b"</row>") * 370), "370"),
        (lambda: parts(b"".join(b'<row r="%d" ht="%d"/>' % (n, n) for n in range(1, 599_000))), "0"),
        (lambda: parts(strings=(b"<si><t>" + LONG + b"</t></si>") * 135), "1"),
        (lambda: parts((b'<row><c t="inlineStr"><is><t>' + LONG + b"</t></is></c></row>") * 135), "135"),
        (lambda: parts(ONE, tail=b'<conditionalFormatting sqref="A1"/>' * 590_000), "1"),
        (lambda: parts(styles=b"<cellXfs>" + b"<xf/>" * 29_000 + b"</cellXfs>"), "1"),
        (
            lambda: parts(b"<row>%s</row>" % b"".join(b'<c a="%d"/>' % n for n in range(599_000))),
            "TruncatedFileError",
        ),
    ],
    ids=["small", "cells", "rows", "texts", "texts in place", "formats", "styles", "one row"],
)  # fmt: skip
def test_no_workbook_takes_more_than_500_mb(tmp_path, found, result):
    path = tmp_path / "a.xlsx"
    path.write_bytes(zipped(found()))
    told = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=project_root(),
    ).stdout.split()
    assert told[0] == result
    assert int(told[1]) < 500 * 1024
