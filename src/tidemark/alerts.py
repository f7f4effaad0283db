"""Tells people what turned red, stands still or was revised beyond its usual size. Off unless configured.

`TIDEMARK_ALERTS` holds one or more addresses in the form of the library apprise, separated by spaces:
`mailtos://user:password@example.org?to=me@example.org`, `slack://...`, `jsons://host/path` for any webhook.
"""

from __future__ import annotations

import os
from pathlib import Path

from tidemark import archive
from tidemark.settings import Home

VARIABLE = "TIDEMARK_ALERTS"


def send(title: str, body: str) -> bool:
    """Tell everyone who is configured; whether all could be told. True where nobody is."""
    addresses = os.environ.get(VARIABLE, "").split()
    if not addresses:
        return True
    import apprise  # takes a second to import, and is off for most

    everyone = apprise.Apprise()
    known = [everyone.add(address) for address in addresses]
    return bool(everyone.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)) and all(known)


def once(home: Home, subject: str, title: str, body: str, where: str = "") -> None:
    """Send an alert unless it is what was last said on the subject: a state is news once, not every day.

    `where` one may read more, such as a log, is told and makes no news.
    """
    note, message = _note(home, subject), f"{title}\n{body}"
    if note.exists() and note.read_text("utf-8") == message:
        return
    if send(title, "\n".join(filter(None, [body, where]))):
        archive.write_atomically(note, message.encode())


def over(home: Home, subject: str) -> None:
    """The subject is well again: say so if anything was said on it, and be ready to tell the next time."""
    note = _note(home, subject)
    if note.exists() and send(f"Tidemark: {subject} is well again", f"Before: {note.read_text('utf-8')}"):
        note.unlink()


def _note(home: Home, subject: str) -> Path:
    return home.root / "alerts" / f"{subject.replace('/', '__')}.txt"
