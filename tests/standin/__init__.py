"""A stand-in for every publisher: an HTTP server on loopback that serves releases at the publishers' own
addresses and can be told to misbehave.

With `TIDEMARK_MIRROR` naming it, `https://host/path?query` is asked of it as `/host/path?query`: the
passports, the ways to the files and the parsers are the real ones, and only the host differs.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, urlsplit, urlunsplit

from tidemark import registry, snapshot
from tidemark.registry import Dataset

HTML_404 = b"<!DOCTYPE html>\n<html><head><title>Page not found</title></head><body>" + b"<p>Sorry</p>" * 8000
WALL = b"<!DOCTYPE html>\n<html><body>Access denied. Please enable JavaScript and cookies.</body></html>"


@dataclass
class Served:
    """What stands at an address."""

    data: bytes
    headers: dict[str, str] = field(default_factory=dict)


Misbehaviour = Callable[["Handler", Served | None], None]


class Publisher:
    """The server's content, which a test changes as publishers do, and the record of what was asked."""

    def __init__(self) -> None:
        self.served: dict[str, Served] = {}
        self.misbehaving: dict[str, Misbehaviour] = {}
        self.asked: list[tuple[str, dict[str, str], int]] = []
        self.url = ""

    def serve(
        self, url: str, data: bytes, etag: str | None = None, last_modified: date | None = None
    ) -> None:
        """Put a file at an address; its ETag is its own unless one is given."""
        headers = {"ETag": etag or f'"{hashlib.sha256(data).hexdigest()[:16]}"'}
        if last_modified is not None:
            moment = datetime(last_modified.year, last_modified.month, last_modified.day, 20, tzinfo=UTC)
            headers["Last-Modified"] = format_datetime(moment, usegmt=True)
        self.served[_normal(url)] = Served(data, headers)

    def misbehave(self, url: str, how: Misbehaviour) -> None:
        self.misbehaving[_normal(url)] = how

    def recover(self) -> None:
        self.misbehaving.clear()

    def statuses(self, url: str) -> list[int]:
        return [status for asked, _, status in self.asked if asked == _normal(url)]

    # --- each publisher's way to its files ---------------------------------------------------------------

    def publish(self, dataset: Dataset, data: bytes, released_on: date, year: int | None = None) -> str:
        """Serve a release as its publisher does: at its address, or behind its pages; returns the address."""
        ways = {
            "url": self._at_url, "api_pages": self._at_url, "links": self._behind_links,
            "github": self._on_github, "edition": self._as_edition,
        }  # fmt: skip
        url = ways[dataset.fetch["by"]](dataset, data, released_on, year or released_on.year)
        if dataset.fetch["by"] != "links" or dataset.source != "safe":
            self.serve(url, data)
        else:
            self.serve(url, data, last_modified=released_on)
        return url

    def _at_url(self, dataset: Dataset, _data: bytes, _day: date, year: int) -> str:
        url = dataset.url
        for name, value in dataset.fetch.get("query", {}).items():
            head, _, tail = url.partition(f"{name}=")
            url = f"{head}{name}={value.replace('{year}', str(year))}" + tail[len(tail.split("&")[0]) :]
        return url

    def _behind_links(self, dataset: Dataset, data: bytes, day: date, year: int) -> str:
        page = dataset.fetch.get("from", dataset.url)
        if dataset.source == "worldbank":
            self.serve(
                page,
                _page(
                    [("Monthly prices", dataset.url), ("Annual", dataset.url.replace("Monthly", "Annual"))]
                ),
            )
            return dataset.url
        name = hashlib.md5(data, usedforsecurity=False).hexdigest()
        attachment = f"https://www.safe.gov.cn/safe/file/file/{day:%Y%m%d}/{name}.xlsx"
        if dataset.id == "reserve_assets":
            article = f"https://www.safe.gov.cn/safe/{year}/0207/{year}.html"
            self.serve(
                page,
                _page(
                    [
                        (f"国际储备与外币流动性数据模板（{year}年）", "/safe/other.html"),
                        (f"官方储备资产（{year}年）", urlsplit(article).path),
                    ]
                ),
            )
            page = article
        self.serve(page, _page([("附件", urlsplit(attachment).path)]))
        return attachment

    def _on_github(self, dataset: Dataset, data: bytes, day: date, _year: int) -> str:
        fetch = dataset.fetch
        api = f"https://api.github.com/repos/{fetch['repository']}"
        path = fetch.get("path")
        if path is None:
            name = f"{dataset.file.rpartition('_')[0]}_{day:%Y-%m}.csv"
            path = f"{fetch['folder']}/{name}"
            listing = [
                {"name": entry}
                for entry in ("README.md", dataset.file.rpartition("_")[0] + "_2019-01.csv", name)
            ]
            self.serve(f"{api}/contents/{quote(fetch['folder'])}", json.dumps(listing).encode())
        sha = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        commits = [{"sha": sha, "commit": {"committer": {"date": f"{day}T15:04:05Z"}}}]
        self.serve(f"{api}/commits?path={quote(path)}&per_page=1", json.dumps(commits).encode())
        return f"https://raw.githubusercontent.com/{fetch['repository']}/{sha}/{quote(path)}"

    def _as_edition(self, dataset: Dataset, _data: bytes, day: date, _year: int) -> str:
        year, quarter = map(int, dataset.fetch["of"].split("Q"))
        ended = 4 * day.year + (day.month - 1) // 3 - 1
        number = dataset.fetch["number"] + ended - (4 * year + quarter - 1)
        return f"{dataset.url.rpartition('/')[0]}/{number}"


def publish_bundled(publisher: Publisher, year: int) -> dict[str, str]:
    """Serve the newest bundled release of every dataset that programs get; its address by dataset."""
    served = {}
    for dataset in registry.datasets():
        bundled = snapshot.bundled(dataset) if dataset.is_fetched else []
        if bundled:
            newest = bundled[-1]
            assert newest.released_on is not None
            served[dataset.name] = publisher.publish(dataset, newest.data, newest.released_on, year)
    return served


def _page(links: list[tuple[str, str]]) -> bytes:
    items = "".join(f'<li><a href="{address}" title="{text}">{text}</a></li>' for text, address in links)
    head = '<!DOCTYPE html><html><head><meta charset="utf-8"></head>'
    return f"{head}<body><ul>{items}</ul></body></html>".encode()


def _normal(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(("https", parts.netloc, parts.path, parts.query, ""))


# --- ways to misbehave ------------------------------------------------------------------------------------


def answers(status: int, body: bytes = b"", **headers: str) -> Misbehaviour:
    """Answer with a status, whatever is asked."""

    def how(handler: Handler, _served: Served | None) -> None:
        handler.answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    return how


def times(count: int, bad: Misbehaviour) -> Misbehaviour:
    """Misbehave so often, then behave."""
    left = [count]

    def how(handler: Handler, served: Served | None) -> None:
        left[0] -= 1
        if left[0] >= 0:
            bad(handler, served)
        else:
            handler.behave(served)

    return how


def drips(seconds: float) -> Misbehaviour:
    """Begin at once, then send a byte in so many seconds."""

    def how(handler: Handler, served: Served | None) -> None:
        assert served is not None
        handler.head(200, {"Content-Length": str(len(served.data))})
        for byte in served.data:
            handler.wfile.write(bytes([byte]))
            time.sleep(seconds)

    return how


def cut_short(handler: Handler, served: Served | None) -> None:
    """Announce the whole, send half, hang up."""
    assert served is not None
    handler.head(200, {"Content-Length": str(len(served.data))})
    handler.wfile.write(served.data[: len(served.data) // 2])
    handler.close_connection = True


def endless(handler: Handler, served: Served | None) -> None:
    handler.head(200, {})
    while True:
        handler.wfile.write(b"x" * 65_536)


def hangs_up(handler: Handler, _served: Served | None) -> None:
    handler.close_connection = True
    handler.connection.close()


def same_etag(etag: str) -> Misbehaviour:
    """Say that nothing has changed to whoever knows the ETag, whatever stands there now."""

    def how(handler: Handler, served: Served | None) -> None:
        assert served is not None
        served.headers["ETag"] = etag
        handler.behave(served)

    return how


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    publisher: Publisher

    def do_GET(self) -> None:
        url = f"https:/{self.path}"
        self.asked_for = _normal(url)
        served = self.publisher.served.get(self.asked_for)
        try:
            self.publisher.misbehaving.get(self.asked_for, Handler.behave)(self, served)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def behave(self, served: Served | None) -> None:
        if served is None:
            self.answer(404, HTML_404, {"Content-Type": "text/html"})
            return
        if self.headers.get("If-None-Match") == served.headers.get("ETag") is not None:
            self.answer(304, b"", served.headers)
            return
        self.answer(200, served.data, served.headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.head(status, {"Content-Length": str(len(body)), **headers})
        self.wfile.write(body)

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.publisher.asked.append((self.asked_for, dict(self.headers), status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up as they please."""


@contextmanager
def running() -> Iterator[Publisher]:
    """A publisher that listens on a free port of the loopback interface."""
    publisher = Publisher()
    handler = type("Bound", (Handler,), {"publisher": publisher})
    server = Server(("127.0.0.1", 0), handler)
    publisher.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
