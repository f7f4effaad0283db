"""What can go wrong, in words for the person who has to mend it.

Every error says what was wrong, where (file and line), and what to do. The command line prints it and
exits with `exit_code`; an Airflow task lets it through and turns red; a refused file is quarantined with it.
"""

from __future__ import annotations

from dataclasses import dataclass


class TidemarkError(Exception):
    """Something failed (exit code 1): validation, a publisher, a build."""

    exit_code = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.advice}" if self.advice else self.message


class UsageError(TidemarkError):
    """The call was wrong (exit code 2): an unknown name, a date that is none, a missing file."""

    exit_code = 2


class BusyError(TidemarkError):
    """Another process is writing the warehouse."""


class BuildError(TidemarkError):
    """dbt could not build the marts, or one of its tests failed."""


class NothingPublishedError(TidemarkError):
    """A reader asked before the first release was published."""


class RefusedFileError(TidemarkError):
    """A publisher's file that must not enter the warehouse.

    `outcome` is the word that stands in `raw.outcomes.result` and in the quarantine's reason, so that one
    can count refusals by kind. `line` counts from 1; it is None where the file as a whole is at fault.
    """

    outcome = "refused"

    def __init__(self, file: str, line: int | None, message: str, advice: str = "") -> None:
        self.file = file
        self.line = line
        where = f"{file}, line {line}" if line is not None else file
        super().__init__(f"{where}: {message}", advice)


class EmptyFileError(RefusedFileError):
    """No bytes, or nothing but white space."""

    outcome = "empty"


class NotTheFileError(RefusedFileError):
    """HTML, JSON or another publisher's table where this dataset's file is due."""

    outcome = "not_the_file"


class WrongEncodingError(RefusedFileError):
    """Bytes that are no text in the encoding the publisher uses."""

    outcome = "wrong_encoding"


class WrongLayoutError(RefusedFileError):
    """A header, column or row that does not stand where the publisher's layout has it."""

    outcome = "wrong_layout"


class TruncatedFileError(RefusedFileError):
    """The file ends before its layout does."""

    outcome = "truncated"


class TooLargeError(RefusedFileError):
    """A file that would unpack to more, or holds more, than any of the publisher's does."""

    outcome = "too_large"


class UnknownLabelError(RefusedFileError):
    """A holder that the alias table does not know."""

    outcome = "unknown_label"


class BadFigureError(RefusedFileError):
    """Text, a thousands separator or an unknown mark where a figure stands."""

    outcome = "bad_figure"


class DuplicateCellError(RefusedFileError):
    """A month or a row that stands twice where the layout declares no series break."""

    outcome = "duplicate_cell"


class FrozenFileError(RefusedFileError):
    """An old edition offered as a newer release: it answers, but it has stopped advancing."""

    outcome = "frozen"


class WrongDateError(RefusedFileError):
    """A release date that the file's own edition date or figures contradict."""

    outcome = "wrong_date"


class OutdatedCorrectionError(RefusedFileError):
    """A figure that a correction knows as published wrong, and that this release states otherwise."""

    outcome = "outdated_correction"


class ImplausibleChangeError(RefusedFileError):
    """Figures a thousand times those of the release before, or a past that was blanked since."""

    outcome = "implausible_change"


class UnreadableFileError(RefusedFileError):
    """A file on which its parser broke, where it should have refused by name what it did not know."""

    outcome = "unreadable"


class FailedSuiteError(RefusedFileError):
    """The Great Expectations suite of the dataset found figures that cannot be."""

    outcome = "failed_suite"


class ShrunkenFileError(RefusedFileError):
    """Far fewer bytes than the release before had: a part where the whole is due."""

    outcome = "shrunken"


class FetchError(TidemarkError):
    """A publisher gave no file. `outcome` is the word that stands in `raw.outcomes.result`.

    The next look asks anew, so each of these clears by itself when the publisher recovers.
    """

    outcome = "failed"


class UnreachableError(FetchError):
    """No answer: no network, no such host, no connection, or an error of the publisher's server (5xx)."""

    outcome = "unreachable"


class TooSlowError(FetchError):
    """An answer that was not whole within the time that it may take."""

    outcome = "too_slow"


class BlockedError(FetchError):
    """401 or 403: a wall that shuts programs out, or a login."""

    outcome = "blocked"


class NotFoundError(FetchError):
    """404 or 410: the file has moved, or is not there yet."""

    outcome = "not_found"


class ThrottledError(FetchError):
    """429: the publisher asks for patience, for longer than one look lasts."""

    outcome = "throttled"


class RedirectedElsewhereError(FetchError):
    """A redirect to a host that is not the passport's."""

    outcome = "redirected_elsewhere"


class CutShortError(FetchError):
    """Fewer bytes than the answer announced."""

    outcome = "cut_short"


class TooManyBytesError(FetchError):
    """More bytes than any file of this publisher has."""

    outcome = "too_many_bytes"


class UnexpectedAnswerError(FetchError):
    """A status or a page that the way to the file does not know."""

    outcome = "unexpected_answer"


class MovedError(FetchError):
    """The page that leads to the file no longer links it."""

    outcome = "moved"


@dataclass(frozen=True)
class Problem:
    """One finding of a suite: the line it stands on (None: the batch as a whole) and what is wrong."""

    line: int | None
    message: str
