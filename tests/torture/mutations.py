"""Bad bytes: 5,000 mutations of a real release for each parser.

Every mutation is made again from its number, so a finding can be looked at: `mutated(subject(name), number)`.
First a process parses them all, within bounds: 10 seconds each, and 500 MB above what it began with. What is
read, and states other figures than the release, then goes through the whole door: labels, dates, suite,
corrections, the release before. What is left is held against what a reader is told: a figure that moved
beyond the passport's `plausible_revision` is flagged when it is loaded; every other is a revision like any.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import random
import re
import resource
import signal
import struct
import sys
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from tidemark import archive, pipeline, precedent, quality, recipe, registry, revisions, snapshot, sources
from tidemark.archive import Release
from tidemark.errors import RefusedFileError, TidemarkError
from tidemark.reading import PUBLISHED, SourceFile, quoted
from tidemark.registry import Dataset
from tidemark.settings import Home, project_root

EACH = 5000
SECONDS, MEMORY = 10, 500 * 2**20
KEPT = project_root() / ".torture"


@dataclass(frozen=True)
class Subject:
    """A parser's dataset and the sound release that is damaged."""

    dataset: Dataset
    file: str
    data: bytes
    released_on: date


def names() -> list[str]:
    return [dataset.name for dataset in registry.datasets()]


@cache
def subject(name: str) -> Subject:
    """The smallest bundled release of a dataset, or what its tests render where none is bundled."""
    dataset = registry.dataset(name)
    day: date | None
    bundled = sorted(snapshot.bundled(dataset), key=lambda item: len(item.data))
    if bundled:
        file, data, day = bundled[0].file, bundled[0].data, bundled[0].released_on
    else:
        file, data, day = _rendered(name)
    day = sources.parse(dataset, SourceFile(file, data)).edition_date or day
    assert day is not None, name
    return Subject(dataset, file, data, day)


def _rendered(name: str) -> tuple[str, bytes, date]:
    from tests.sources import test_fiscaldata_mts as mts
    from tests.sources import test_wgc_workbooks as wgc

    made: dict[str, tuple[str, Callable[[], bytes], date]] = {
        "fiscaldata/mts_table_9": ("mts.json", mts.written, date(2026, 8, 12)),
        "wgc/holdings_quarterly": ("quarterly.xlsx", lambda: wgc.workbook(wgc.quarterly()), date(2026, 8, 1)),
        "wgc/holdings_ranking": ("ranking.xlsx", lambda: wgc.workbook(wgc.ranking()), date(2026, 8, 1)),
        "wgc/holdings_changes": ("changes.xlsx", lambda: wgc.workbook(wgc.changes()), date(2026, 8, 1)),
    }
    file, make, day = made[name]
    return file, make(), day


# --- Mutations -----------------------------------------------------------------------------------------

HUGE = (b"1e308", b"9" * 400, b"-" + b"9" * 30, b"1e999", b"99999999999.9", b"0x1F", b"1_000", b"NaN", b"-0")
Draw = random.Random


def _a_number(data: bytes, draw: Draw) -> re.Match[bytes] | None:
    found = list(re.finditer(rb"\d+(\.\d+)?", data))
    return draw.choice(found) if found else None


def _separator(data: bytes) -> bytes:
    return max((b"\t", b",", b"  "), key=data.count)


def flip_bit(data: bytes, draw: Draw) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 8))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def cut(data: bytes, draw: Draw) -> bytes:
    at, length = draw.randrange(len(data)), draw.randrange(1, len(data))
    return draw.choice((data[:at], data[at:], data[:at] + data[at + length :]))


def cut_lines(data: bytes, draw: Draw) -> bytes:
    lines = data.split(b"\n")
    at = draw.randrange(len(lines))
    del lines[at : at + draw.choice((1, 1, 2, 10))]
    return b"\n".join(lines)


def double_line(data: bytes, draw: Draw) -> bytes:
    lines = data.split(b"\n")
    lines.insert(draw.randrange(len(lines)), draw.choice(lines))
    return b"\n".join(lines)


def move_line(data: bytes, draw: Draw) -> bytes:
    lines = data.split(b"\n")
    lines.insert(draw.randrange(len(lines)), lines.pop(draw.randrange(len(lines))))
    return b"\n".join(lines)


def swap_lines(data: bytes, draw: Draw) -> bytes:
    lines = data.split(b"\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def swap_columns(data: bytes, draw: Draw) -> bytes:
    """Two columns change places: in every line, or in all but the header."""
    by, lines = _separator(data), data.split(b"\n")
    widest = max(line.count(by) for line in lines) + 1
    one, other = draw.randrange(widest), draw.randrange(widest)
    for number in range(draw.choice((0, 10)), len(lines)):
        cells = lines[number].split(by)
        if len(cells) > max(one, other):
            cells[one], cells[other] = cells[other], cells[one]
            lines[number] = by.join(cells)
    return b"\n".join(lines)


def shift_header(data: bytes, draw: Draw) -> bytes:
    """The cells of one line of the first twenty move by one; the figures below stay where they are."""
    by, lines = _separator(data), data.split(b"\n")
    at = draw.randrange(min(20, len(lines)))
    cells = lines[at].split(by)
    by_one = draw.choice((-1, 1))
    lines[at] = by.join(cells[by_one:] + cells[:by_one])
    return b"\n".join(lines)


def swap_cells(data: bytes, draw: Draw) -> bytes:
    """Two neighbours of one line change places."""
    by, lines = _separator(data), data.split(b"\n")
    at = draw.randrange(len(lines))
    cells = lines[at].split(by)
    if len(cells) > 1:
        left = draw.randrange(len(cells) - 1)
        cells[left], cells[left + 1] = cells[left + 1], cells[left]
    lines[at] = by.join(cells)
    return b"\n".join(lines)


def other_encoding(data: bytes, draw: Draw) -> bytes:
    text = data.decode("latin-1")
    at = draw.randrange(len(text))
    return draw.choice(
        (
            lambda: text.encode("utf-16"),
            lambda: text.encode("utf-16-be"),
            lambda: b"\xef\xbb\xbf" + data,
            lambda: (text[:at] + "\u00a0" + text[at:]).encode("latin-1"),
            lambda: (text[:at] + "\u2212" + text[at:]).encode("utf-8"),
            lambda: text.encode("cp037", "replace"),
            lambda: data.replace(b"\n", b"\r"),
            lambda: data[:at] + b"\x00" + data[at:],
            lambda: data.replace(b".", b","),
        )
    )()


def huge_number(data: bytes, draw: Draw) -> bytes:
    found = _a_number(data, draw)
    return data if found is None else data[: found.start()] + draw.choice(HUGE) + data[found.end() :]


def another_digit(data: bytes, draw: Draw) -> bytes:
    found = _a_number(data, draw)
    if found is None:
        return data
    at = draw.randrange(found.start(), found.end())
    return data[:at] + draw.choice(b"0123456789").to_bytes(1, "big") + data[at + 1 :]


def another_scale(data: bytes, draw: Draw) -> bytes:
    """One figure by a thousand, or with its point moved."""
    found = _a_number(data, draw)
    if found is None:
        return data
    text = found[0]
    new = draw.choice((text + b"000", text[:1] + b"." + text[1:].replace(b".", b""), text.replace(b".", b"")))
    return data[: found.start()] + new + data[found.end() :]


def twice(data: bytes, draw: Draw) -> bytes:
    return data + draw.choice((b"", b"\n")) + data


TEXT = (
    flip_bit, flip_bit, cut, cut_lines, double_line, move_line, swap_lines, swap_columns, shift_header,
    swap_cells, other_encoding, huge_number, another_digit, another_digit, another_scale, twice,
)  # fmt: skip


def _nest(data: bytes, draw: Draw) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + b"[" * draw.choice((10, 100_000)) + data[at:]


def _json_value(data: bytes, draw: Draw) -> bytes:
    """A value becomes of another kind, a key stands twice, a record is dropped, doubled or emptied."""
    content = json.loads(data)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(content)
    node, key = draw.choice(places)
    how = draw.randrange(5)
    if how == 0:
        node[key] = draw.choice((None, True, "", "1e9", -1, 1e300, [], {}, float("nan"), [node[key]]))
    elif how == 1:
        del node[key]
    elif how == 2 and isinstance(node, list):
        node.insert(draw.randrange(len(node) + 1), node[key])
    elif how == 3 and isinstance(node, list):
        draw.shuffle(node)
    elif isinstance(node, dict):
        node[f"{key} "] = node.pop(key)
    return json.dumps(content).encode()


JSON = (*TEXT, _nest, _json_value, _json_value, _json_value)


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        return {name: parts.read(name) for name in parts.namelist()}


def _packed(members: dict[str, bytes], **extra: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as parts:
        for name, content in [*members.items(), *extra.items()]:
            parts.writestr(name, content)
    return out.getvalue()


def _sheet_of(members: dict[str, bytes], draw: Draw) -> str:
    return draw.choice(sorted(name for name in members if name.startswith("xl/worksheets/sheet")))


def damage_sheet(data: bytes, draw: Draw) -> bytes:
    """What happens to text, to the XML of a sheet, of the texts or of the book itself."""
    members = _members(data)
    name = draw.choice(
        [_sheet_of(members, draw)] * 4
        + [name for name in ("xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml") if name in members]
    )
    how = draw.choice(
        (flip_bit, cut, huge_number, another_digit, another_digit, another_scale, other_encoding)
    )
    members[name] = how(members[name], draw)
    return _packed(members)


def cells_of_sheet(data: bytes, draw: Draw) -> bytes:
    """Cells or rows are doubled, dropped, or change places; a header moves by a column."""
    members = _members(data)
    name = _sheet_of(members, draw)
    kind = draw.choice((rb"<c [^>]*?(/>|>.*?</c>)", rb"<row .*?</row>", rb"<v>.*?</v>", rb'r="[A-Z]+'))
    found = list(re.finditer(kind, members[name], re.S))
    if len(found) < 2:
        return flip_bit(data, draw)
    one, other = sorted(draw.sample(range(len(found)), 2))
    first, second = found[one], found[other]
    content = members[name]
    middle = content[first.end() : second.start()]
    into = draw.choice(
        (second[0] + middle + first[0], first[0] + middle + first[0], middle + second[0], first[0] + middle)
    )
    members[name] = content[: first.start()] + into + content[second.end() :]
    return _packed(members)


def hostile_zip(data: bytes, draw: Draw) -> bytes:
    members = _members(data)
    sheet = _sheet_of(members, draw)
    bomb = b"<x>" + b" " * (64 * 2**20)
    laughs = (
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    )
    outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'

    def with_sheet(content: bytes) -> bytes:
        return _packed({**members, sheet: content})

    def twice_a_part() -> bytes:
        out = io.BytesIO(data)
        with zipfile.ZipFile(out, "a") as parts:
            import warnings

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                parts.writestr(sheet, members[sheet].replace(b"<v>", b"<v>1", 3))
        return out.getvalue()

    def lying_size() -> bytes:
        # The central directory tells another length than there is.
        at = data.rindex(b"PK\x01\x02")
        return data[: at + 24] + struct.pack("<I", draw.choice((0, 10, 2**31))) + data[at + 28 :]

    ways: tuple[Callable[[], bytes], ...] = (
        lambda: with_sheet(bomb),
        lambda: _packed(members, **{"xl/media/big.bin": bytes(64 * 2**20)}),
        lambda: with_sheet(members[sheet].replace(b"<worksheet", laughs + b"<worksheet", 1)),
        lambda: with_sheet(members[sheet].replace(b"<worksheet", outside + b"<worksheet", 1)),
        lambda: with_sheet(b"<a>" * draw.choice((1000, 500_000))),
        lambda: with_sheet(re.sub(rb'r="([A-Z]+)\d+"', rb'r="\g<1>1048576"', members[sheet])),
        lambda: with_sheet(re.sub(rb'<c r="A', b'<c r="XFD', members[sheet])),
        lambda: with_sheet(b""),
        lambda: _packed(members, **{"../../outside.xml": b"<x/>"}),
        lambda: _packed({name: content for name, content in members.items() if name != sheet}),
        lambda: _packed({name: content for name, content in members.items() if "workbook" not in name}),
        lambda: _packed({**members, **{f"xl/more/{n}.xml": b"<x/>" for n in range(2000)}}),
        twice_a_part,
        lying_size,
        lambda: data[:6] + b"\x01" + data[7:],
        lambda: with_sheet(b"<row/>" * 700_000),
    )  # fmt: skip
    return draw.choice(ways)()


def swap_sheets(data: bytes, draw: Draw) -> bytes:
    """Two sheets change places, or a sheet its name."""
    members = _members(data)
    sheets = sorted(name for name in members if name.startswith("xl/worksheets/sheet"))
    if len(sheets) > 1 and draw.random() < 0.7:
        one, other = draw.sample(sheets, 2)
        members[one], members[other] = members[other], members[one]
    else:
        members["xl/workbook.xml"] = re.sub(
            rb'sheet name="[^"]*"', b'sheet name="Sheet"', members["xl/workbook.xml"], count=1
        )
    return _packed(members)


WORKBOOK = (
    flip_bit, cut, damage_sheet, damage_sheet, damage_sheet, cells_of_sheet, cells_of_sheet, cells_of_sheet,
    hostile_zip, swap_sheets, twice,
)  # fmt: skip


def mutated(target: Subject, number: int) -> tuple[str, bytes]:
    """A mutation by its number: its name, and the bytes."""
    draw = random.Random(f"{target.dataset.name} {number}")
    ways = WORKBOOK if target.data.startswith(b"PK") else JSON if target.data.lstrip()[:1] in b"{[" else TEXT
    how = draw.choice(ways)
    return how.__name__.strip("_"), how(target.data, draw)


# --- What becomes of them ------------------------------------------------------------------------------


@dataclass
class Found:
    """What became of the mutations of one parser, in numbers; `broken` must be empty."""

    dataset: str
    tried: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    same_figures: int = 0
    flagged: int = 0
    within_revisions: int = 0
    unseen: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    slowest: float = 0.0
    memory: int = 0

    @property
    def valid(self) -> int:
        return self.flagged + self.within_revisions


class _TooLongError(Exception):
    pass


def _alarm(*_: object) -> None:
    raise _TooLongError


def attack(name: str, numbers: range) -> Found:
    """Try mutations of one dataset, in this process, which takes bounds on itself."""
    target = subject(name)
    dataset = target.dataset
    sound = quoted(sources.parse(dataset, SourceFile(target.file, target.data)).observations)
    found = Found(name)
    signal.signal(signal.SIGALRM, _alarm)
    begun_with = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    survivors: list[int] = []
    for number in numbers:
        found.tried += 1
        how, data = mutated(target, number)
        if data == target.data:
            found.same_figures += 1
            continue
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        begun = datetime.now(UTC)
        try:
            file = SourceFile(target.file, data)
            parsed = sources.parse(dataset, file).observations
            sources.edition_date(dataset, file)
        except RefusedFileError as error:
            if not error.advice or target.file not in str(error):
                found.broken.append(f"{name} {number} ({how}): the refusal does not say where or what to do")
            found.refused[error.outcome] += 1
        except _TooLongError:
            found.broken.append(f"{name} {number} ({how}): longer than {SECONDS} s")
        except Exception:
            found.broken.append(f"{name} {number} ({how}): {traceback.format_exc(limit=-2)}")
        else:
            if _same(dataset, sound, quoted(parsed)):
                found.same_figures += 1
            else:
                survivors.append(number)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        found.slowest = max(found.slowest, (datetime.now(UTC) - begun).total_seconds())
    found.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - begun_with
    if found.memory > MEMORY:
        found.broken.append(f"{name}: {found.memory / 2**20:,.0f} MB of memory")
    _pass_the_door(target, sound, survivors, found)
    return found


def _same(dataset: Dataset, one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two batches state the same, whatever order their lines stand in."""
    cell = [*dataset.key, "period_end", "measure"]
    columns = [*cell, "value", "status", "unit"]
    one, other = (frame[columns].sort_values(cell, ignore_index=True) for frame in (one, other))
    return bool(one.equals(other))


def _pass_the_door(target: Subject, sound: pd.DataFrame, survivors: list[int], found: Found) -> None:
    """The checks that a release has to pass, where the sound one came out a day before it."""
    dataset = target.dataset
    with tempfile.TemporaryDirectory(prefix="tidemark-torture-") as folder:
        home = Home(Path(folder))
        archive.register(
            home, dataset, target.data, target.released_on - timedelta(days=1), target.file, dataset.url
        )
        for begin in range(0, len(survivors), 100):
            with quality.checking(home) as check:
                for number in survivors[begin : begin + 100]:
                    _judge(home, target, sound, number, check, found)


def _judge(
    home: Home, target: Subject, sound: pd.DataFrame, number: int, check: quality.Check, found: Found
) -> None:
    dataset = target.dataset
    how, data = mutated(target, number)
    release = Release(
        dataset.name, target.released_on, 0, archive.sha256(data), len(data), target.file, dataset.url,
        dataset.evidence, datetime.now(UTC),
    )  # fmt: skip
    try:
        batch = pipeline.validated_batch(dataset, release, data, check)
        precedent.expect_plausible(home, dataset, release, batch)
        pipeline._expect_extracts_bundled(release, data)
    except RefusedFileError as error:
        found.refused[error.outcome] += 1
        return
    except TidemarkError as error:
        found.broken.append(f"{dataset.name} {number} ({how}): not refused by name: {error}")
        return
    except Exception:
        found.broken.append(f"{dataset.name} {number} ({how}): {traceback.format_exc(limit=-2)}")
        return
    kind = visibility(dataset, sound, quoted(batch))
    if kind == "flagged":
        found.flagged += 1
    elif kind == "revision":
        found.within_revisions += 1
    else:
        found.unseen.append(f"{number} ({how})")


def visibility(dataset: Dataset, sound: pd.DataFrame, batch: pd.DataFrame) -> str:
    """How a reader learns of what a batch says otherwise: `flagged`, `revision`, or `new` where the cells
    that both state are alike, and it states others or fewer.
    """
    cell = [*dataset.key, "period_end", "measure"]
    both = batch.merge(sound, on=cell, suffixes=("", "_sound"))
    moved = both[
        (both["value"] != both["value_sound"]) & ~(both["value"].isna() & both["value_sound"].isna())
    ]
    if moved.empty:
        return "new"
    figures = moved[(moved["status"] == PUBLISHED) & (moved["status_sound"] == PUBLISHED)]
    largest = sound.groupby("measure")["value"].agg(lambda values: values.abs().max())
    seen = figures[
        figures["value_sound"].abs()
        >= revisions.SMALL_SHARE * figures["measure"].map(largest).astype("float64")
    ]
    far = (seen["value"] - seen["value_sound"]).abs() > dataset.plausible_revision.ratio * seen[
        "value_sound"
    ].abs()
    return "flagged" if far.any() else "revision"


def campaign(part: float = 1.0, processes: int = 2, keep: Path = KEPT) -> list[Found]:
    """Every parser; the mutations of one are spread over the processes.

    It takes hours, so what a share came to is kept: a campaign that was stopped goes on where it stood, as
    long as neither the package nor this file is another.
    """
    each = max(10, int(EACH * part))
    share = max(10, min(625, each))
    jobs = [
        (name, range(begin, min(begin + share, each))) for name in names() for begin in range(0, each, share)
    ]
    folder = keep / fingerprint()
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [job for job in jobs if not _place(folder, job).exists()]
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, maxtasksperchild=1) as pool:
        for number, (job, found) in enumerate(
            pool.imap_unordered(_attack, waiting), start=len(jobs) - len(waiting) + 1
        ):
            archive.write_atomically(_place(folder, job), json.dumps(vars(found)).encode())
            print(f"{number} of {len(jobs)}: {found.dataset}", file=sys.stderr, flush=True)
    return [
        _together(name, [_read_kept(_place(folder, job)) for job in jobs if job[0] == name])
        for name in names()
    ]


def fingerprint() -> str:
    """Of the code that is tried and that tries it."""
    return recipe.digest_of(("src/tidemark", "tests/torture/mutations.py")).hexdigest()[:12]


def _place(folder: Path, job: tuple[str, range]) -> Path:
    name, numbers = job
    return folder / f"{name.replace('/', '__')}-{numbers.start}-{numbers.stop}.json"


def _read_kept(path: Path) -> Found:
    kept = json.loads(path.read_text("utf-8"))
    return Found(**{**kept, "refused": Counter(kept["refused"])})


def _attack(job: tuple[str, range]) -> tuple[tuple[str, range], Found]:
    return job, attack(*job)


def report(found: list[Found]) -> str:
    """The figures as Markdown."""
    lines = [
        "| parser | mutations | refused | same figures | pass the door | of these flagged | "
        "within revisions | other cells | slowest | memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in [*found, _together("all", found)]:
        lines.append(
            f"| {one.dataset} | {one.tried:,} | {one.refused.total():,} | {one.same_figures:,} | "
            f"{one.valid + len(one.unseen):,} | {one.flagged:,} | {one.within_revisions:,} | "
            f"{len(one.unseen):,} | {one.slowest:.1f} s | {one.memory / 2**20:,.0f} MB |"
        )
    broken = [finding for one in found for finding in one.broken]
    lines += ["", f"Crashes, hangs and refusals without a place or advice: {len(broken)}."]
    lines += [f"* {finding}" for finding in broken[:50]]
    kinds = ", ".join(f"{name} {count:,}" for name, count in _together("all", found).refused.most_common())
    lines += ["", f"Refused as: {kinds}."]
    unseen = "; ".join(f"{one.dataset}: {', '.join(one.unseen[:8])}" for one in found if one.unseen)
    if unseen:
        lines += ["", f"Mutations that state other cells, by number: {unseen}."]
    return "\n".join(lines) + "\n"


def _together(name: str, found: list[Found]) -> Found:
    return Found(
        name,
        tried=sum(one.tried for one in found),
        refused=sum((one.refused for one in found), Counter[str]()),
        same_figures=sum(one.same_figures for one in found),
        flagged=sum(one.flagged for one in found),
        within_revisions=sum(one.within_revisions for one in found),
        unseen=[text for one in found for text in one.unseen],
        broken=[text for one in found for text in one.broken],
        slowest=max(one.slowest for one in found),
        memory=max(one.memory for one in found),
    )
