"""Bytes that no parser may take, whatever it reads, and what a refusal has to tell."""

from __future__ import annotations

import codecs
from datetime import UTC, date, datetime

import pytest

from tidemark import archive, pipeline, quality, sources
from tidemark.archive import Release
from tidemark.errors import EmptyFileError, NotTheFileError, RefusedFileError, WrongEncodingError
from tidemark.reading import SourceFile
from tidemark.registry import Dataset

# What no dataset's file is; UTF16 is made of the file itself.
NO_FILE = [
    pytest.param(b"", EmptyFileError, id="no bytes"),
    pytest.param(b"\r\n \t\r\n", EmptyFileError, id="blanks"),
    pytest.param(b"\x00" * 512, EmptyFileError, id="NULs"),
    pytest.param(b"<!DOCTYPE html>\n<html><body>Not found</body></html>", NotTheFileError, id="HTML"),
    pytest.param(codecs.BOM_UTF8 + b"<?xml version='1.0'?><Error/>", NotTheFileError, id="XML with BOM"),
    pytest.param(b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", NotTheFileError, id="workbook"),
    pytest.param(b"404 Not Found\n", NotTheFileError, id="plain text"),
]
ENCODINGS = [
    pytest.param(lambda data: data.decode("ascii").encode("utf-16"), id="UTF-16"),
    pytest.param(lambda data: data.decode("ascii").encode("utf-16-be"), id="UTF-16 without a mark"),
    pytest.param(lambda data: codecs.BOM_UTF8 + data, id="UTF-8 with a mark"),
    pytest.param(lambda data: data[:200] + b"\xa0" + data[200:], id="Latin-1"),
    pytest.param(lambda data: data[:200] + b"\x00" + data[200:], id="a NUL"),
]


def refusal(
    dataset: Dataset, data: bytes, kind: type[RefusedFileError], line: int | None = -1
) -> RefusedFileError:
    """The parser's refusal of these bytes, which names the file, the line and what to do."""
    with pytest.raises(RefusedFileError) as caught:
        sources.parse(dataset, SourceFile("damaged", data))
    return told(caught.value, kind, line)


def told(error: RefusedFileError, kind: type[RefusedFileError], line: int | None = -1) -> RefusedFileError:
    assert type(error) is kind, error
    if line != -1:
        assert error.line == line, error
    assert str(error).startswith("damaged: " if error.line is None else f"damaged, line {error.line}: ")
    assert str(error).endswith(f"\n  -> {error.advice}")
    assert error.advice
    return error


def batch_refusal(
    check: quality.Check,
    dataset: Dataset,
    data: bytes,
    released_on: date,
    kind: type[RefusedFileError],
    line: int | None = -1,
) -> RefusedFileError:
    """The refusal of a release by any check at the door."""
    release = Release(
        dataset.name, released_on, 0, archive.sha256(data), len(data), "damaged",
        dataset.url, "published", datetime.now(UTC),
    )  # fmt: skip
    with pytest.raises(RefusedFileError) as caught:
        pipeline.validated_batch(dataset, release, data, check)
    return told(caught.value, kind, line)


def assert_encoding_refused(dataset: Dataset, data: bytes) -> None:
    refusal(dataset, data, WrongEncodingError)
