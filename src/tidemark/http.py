"""Asks publishers by HTTP: one polite client, and what can go wrong as errors with advice.

Retries, back-off, `Retry-After` and connection limits are urllib3's, sessions are requests'. Here stand the
bounds: how long an answer may take, how large it may be, and that redirects stay with the passport's hosts.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import DecodeError, HTTPError, MaxRetryError, ProtocolError, ReadTimeoutError
from urllib3.util.retry import Retry

from tidemark import __version__
from tidemark.errors import (
    BlockedError,
    CutShortError,
    NotFoundError,
    RedirectedElsewhereError,
    ThrottledError,
    TooManyBytesError,
    TooSlowError,
    UnexpectedAnswerError,
    UnreachableError,
)

USER_AGENT = f"tidemark/{__version__} (open data warehouse of US Treasury holdings)"
MIRROR_VARIABLE = "TIDEMARK_MIRROR"
CONNECT_SECONDS = 10
# Without a byte for so long an answer has stopped; SAFE and the Treasury have taken 20 s to begin one.
SILENCE_SECONDS = 30
# Reads of TIC's files that took over a minute are on record.
WHOLE_ANSWER_SECONDS = 120
# The largest file of any source is WGC's quarterly workbook, with 3 MB.
MOST_BYTES = 50_000_000
MOST_REDIRECTS = 5
RETRIES = 3
# One look waits no longer than this for a publisher that asks for patience; the next look comes by itself.
PATIENCE_SECONDS = 20
PASSING = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """What a publisher answered. `data` is None where it said that nothing has changed (304)."""

    url: str
    data: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)


class Patient(Retry):
    """Retries, unless the publisher asks to wait for longer than one look lasts: then its answer stands."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        if response is not None and (self.get_retry_after(response) or 0) > PATIENCE_SECONDS:
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)


class Client:
    """Asks publishers. Close it, or use it as a context.

    Where `TIDEMARK_MIRROR` names a server, that is asked instead: `https://host/path` as `MIRROR/host/path`.
    """

    def __init__(self, retries: int = RETRIES) -> None:
        self.session = requests.Session()
        self.session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"})
        self.mirror = os.environ.get(MIRROR_VARIABLE, "").rstrip("/")
        patient = Patient(
            total=retries,
            redirect=False,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            status_forcelist=PASSING,
            allowed_methods=("GET",),
            raise_on_status=False,
            respect_retry_after_header=True,
        )
        adapter = HTTPAdapter(pool_connections=8, pool_maxsize=2, pool_block=True, max_retries=patient)
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, adapter)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(
        self,
        url: str,
        hosts: Collection[str],
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """The whole answer to a GET.

        Args:
            hosts: which hosts may be asked; a redirect to any other is refused.
            headers: such as If-None-Match; a 304 is an answer without data.
            seconds: how long it may take, with retries and redirects.

        Raises:
            FetchError: one of its kinds, with advice.
        """
        seconds = WHOLE_ANSWER_SECONDS if seconds is None else seconds
        until = time.monotonic() + seconds
        asked = url
        for _ in range(MOST_REDIRECTS + 1):
            self._expect_host(asked, url, hosts)
            response = self._ask(asked, headers or {})
            try:
                if response.is_redirect:
                    asked = self._logical(urljoin(response.url, response.headers["Location"]))
                    continue
                if response.status_code == 304:
                    return Answer(asked, None, response.headers)
                self._expect_good(response, asked)
                return Answer(asked, self._read(response, asked, until, seconds), response.headers)
            finally:
                response.close()
        raise UnexpectedAnswerError(
            f"{url} redirects more than {MOST_REDIRECTS} times", "open it in a browser"
        )

    def _expect_host(self, asked: str, first: str, hosts: Collection[str]) -> None:
        parts = urlsplit(asked)
        if parts.scheme != "https" or parts.hostname not in hosts:
            raise RedirectedElsewhereError(
                f"{first} redirects to {asked}, which is not the publisher's"
                if asked != first
                else f"{asked} is no address of the publisher's",
                "if the publisher has moved, name its new host in the passport",
            )

    def _ask(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        try:
            return self.session.get(
                self._physical(url),
                headers=dict(headers),
                timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
                allow_redirects=False,
                stream=True,
            )
        except requests.ReadTimeout as error:
            raise _too_slow(url, SILENCE_SECONDS) from error
        except requests.RequestException as error:
            if "Read timed out" in str(error):
                raise _too_slow(url, SILENCE_SECONDS) from error
            raise UnreachableError(
                f"{url} cannot be reached: {_plainly(error)}", "look at the network; the next look asks again"
            ) from error

    def _expect_good(self, response: requests.Response, url: str) -> None:
        status = response.status_code
        said = f"{url} answers {status} {response.reason or ''}".rstrip()
        if status == 200:
            return
        if status in (401, 403):
            raise BlockedError(
                said,
                "the publisher shuts programs out: get the file with a browser, and put it into the inbox",
            )
        if status in (404, 410):
            raise NotFoundError(
                said, "if the next looks find it neither, it has moved: look at the publisher's page"
            )
        if status == 429:
            wait = response.headers.get("Retry-After")
            raise ThrottledError(
                said + (f", and asks to wait (Retry-After: {wait})" if wait else ""),
                "the next look asks again",
            )
        if status >= 500:
            raise UnreachableError(said, "a fault of the publisher's server; the next look asks again")
        raise UnexpectedAnswerError(said, "open it in a browser")

    def _read(self, response: requests.Response, url: str, until: float, seconds: float) -> bytes:
        """The body, as it trickles in: a read that waits for a full buffer would not notice the time."""
        parts, size = [], 0
        try:
            while part := response.raw.read1(65_536, decode_content=True):
                size += len(part)
                if size > MOST_BYTES:
                    raise TooManyBytesError(
                        f"{url} answers with more than {MOST_BYTES:,} bytes",
                        "open it in a browser; no file of this publisher is so large",
                    )
                if time.monotonic() > until:
                    raise _too_slow(url, seconds)
                parts.append(part)
        except ReadTimeoutError as error:
            raise _too_slow(url, SILENCE_SECONDS) from error
        except (ProtocolError, DecodeError) as error:
            raise CutShortError(
                f"{url} ended after {size:,} bytes, before it was whole", "the next look asks again"
            ) from error
        except HTTPError as error:
            raise UnreachableError(
                f"{url} broke off: {_plainly(error)}", "the next look asks again"
            ) from error
        return b"".join(parts)

    def _physical(self, url: str) -> str:
        if not self.mirror:
            return url
        parts = urlsplit(url)
        return f"{self.mirror}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def _logical(self, url: str) -> str:
        """The publisher's address of what a mirror redirects to."""
        if self.mirror and url.startswith(f"{self.mirror}/"):
            return f"https://{url.removeprefix(f'{self.mirror}/')}"
        return url


def _too_slow(url: str, seconds: float) -> TooSlowError:
    return TooSlowError(f"{url} was not whole within {seconds:.0f} s", "the next look asks again")


def _plainly(error: Exception) -> str:
    """The innermost reason, without the layers of the library."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or (reason.args[0] if getattr(reason, "args", ()) else None)
        if not isinstance(inner, BaseException):
            break
        reason = inner
    return re.sub(r"^.*?(>|\)): ", "", str(reason)) or type(reason).__name__
