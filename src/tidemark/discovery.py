"""Finds where a publisher's newest file stands today, by the way that the passport describes (`fetch`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from bs4 import BeautifulSoup

from tidemark.errors import MovedError, UnexpectedAnswerError
from tidemark.http import Client
from tidemark.registry import Dataset

GITHUB_API = "api.github.com"
GITHUB_RAW = "raw.githubusercontent.com"
# SAFE's attachments stand below the day on which they were put there.
DAY_IN_ADDRESS = re.compile(r"/(20\d{2})(\d{2})(\d{2})/")
EDITIONS_TRIED = 3


@dataclass(frozen=True)
class Place:
    """Where a file stands. `published_on` is the day that the way to it tells, None where it tells none."""

    url: str
    file: str
    published_on: date | None = None


def hosts(dataset: Dataset) -> frozenset[str]:
    """The hosts that may be asked for a dataset: those of the passport's addresses and no others."""
    fetch = dataset.fetch
    named = {urlsplit(dataset.url).hostname, *fetch.get("hosts", ())}
    if "from" in fetch:
        named.add(urlsplit(fetch["from"]).hostname)
    if fetch.get("by") == "github":
        named |= {GITHUB_API, GITHUB_RAW}
    return frozenset(host for host in named if host)


def places(client: Client, dataset: Dataset, now: datetime) -> Iterator[Place]:
    """Where the newest file may stand, the likeliest first; the next is for where there is none (404).

    Raises:
        FetchError: a page on the way is not to be had, or no longer leads to the file (MovedError).
    """
    ways: dict[str, Callable[[Client, Dataset, datetime], Iterator[Place]]] = {
        "url": _by_url,
        "api_pages": _by_url,
        "links": _by_links,
        "github": _by_github,
        "edition": _by_edition,
    }
    return ways[dataset.fetch["by"]](client, dataset, now)


def _by_url(_client: Client, dataset: Dataset, now: datetime) -> Iterator[Place]:
    parts = urlsplit(dataset.url)
    query = {
        name: value.replace("{year}", str(now.year)) for name, value in dataset.fetch.get("query", {}).items()
    }
    asked = [(name, query.get(name, value)) for name, value in parse_qsl(parts.query)]
    url = urlunsplit(parts._replace(query=urlencode(asked))) if query else dataset.url
    yield Place(url, dataset.file)


def _by_links(client: Client, dataset: Dataset, now: datetime) -> Iterator[Place]:
    page = dataset.fetch.get("from", dataset.url)
    for step in dataset.fetch["follow"]:
        page = _link(client, dataset, page, step, now)
    found = DAY_IN_ADDRESS.search(page)
    yield Place(page, _file_name(page), date(*map(int, found.groups())) if found else None)


def _link(client: Client, dataset: Dataset, page: str, step: dict[str, str], now: datetime) -> str:
    """The address that the first link of a page leads to whose text or address is what the step says."""
    answer = client.get(page, hosts(dataset))
    links = [
        (
            re.sub(r"\s+", "", str(link.get("title") or link.get_text())),
            urljoin(answer.url, str(link["href"])),
        )
        for link in BeautifulSoup(answer.data or b"", "html.parser").find_all("a", href=True)
    ]
    for year in (now.year, now.year - 1):
        wanted = {name: re.compile(form.replace("{year}", str(year))) for name, form in step.items()}
        for text, address in links:
            if all(form.search({"text": text, "address": address}[name]) for name, form in wanted.items()):
                return address
    raise MovedError(
        f"{page} has no link whose {' and '.join(f'{name} is {form!r}' for name, form in step.items())} "
        f"(of {len(links)} links)",
        "the publisher has rearranged its page: open it in a browser, and mend `follow` in the passport",
    )


def _by_github(client: Client, dataset: Dataset, _now: datetime) -> Iterator[Place]:
    fetch = dataset.fetch
    api = f"https://{GITHUB_API}/repos/{fetch['repository']}"
    path = fetch.get("path")
    if path is None:
        listed = _json(client, dataset, f"{api}/contents/{quote(fetch['folder'])}", list)
        names = [str(entry.get("name")) for entry in listed if isinstance(entry, dict)]
        fitting = sorted(name for name in names if re.fullmatch(fetch["newest"], name))
        if not fitting:
            raise MovedError(
                f"{fetch['repository']} has no file {fetch['newest']!r} in {fetch['folder']}",
                "the repository was rearranged: look at it, and mend `fetch` in the passport",
            )
        path = f"{fetch['folder']}/{fitting[-1]}"
    commits = _json(client, dataset, f"{api}/commits?path={quote(path)}&per_page=1", list)
    try:
        committed = datetime.fromisoformat(commits[0]["commit"]["committer"]["date"])
        commit = str(commits[0]["sha"])
    except (LookupError, TypeError, ValueError):
        raise UnexpectedAnswerError(
            f"GitHub tells no commit of {path} in {fetch['repository']}", "look at the repository"
        ) from None
    # By its commit, so that the file is the one that the date belongs to.
    url = f"https://{GITHUB_RAW}/{fetch['repository']}/{commit}/{quote(path)}"
    yield Place(url, PurePosixPath(path).name, committed.date())


def _by_edition(_client: Client, dataset: Dataset, now: datetime) -> Iterator[Place]:
    base = dataset.url.rpartition("/")[0]
    year, quarter = map(int, dataset.fetch["of"].split("Q"))
    # The newest quarter that is over.
    ended = 4 * now.year + (now.month - 1) // 3 - 1
    newest = int(dataset.fetch["number"]) + ended - (4 * year + quarter - 1)
    for number in range(newest, newest - EDITIONS_TRIED, -1):
        yield Place(f"{base}/{number}", dataset.file)


def _json(client: Client, dataset: Dataset, url: str, kind: type) -> Any:
    data = client.get(url, hosts(dataset)).data or b""
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    if not isinstance(content, kind):
        raise UnexpectedAnswerError(f"{url} answers with no JSON {kind.__name__}", "open it in a browser")
    return content


def _file_name(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name
