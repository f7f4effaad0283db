"""The Federal Reserve: US Treasury securities held outright (H.4.1), as FRED's series TREAST."""

from __future__ import annotations

from datetime import date, timedelta

from tidemark.fred import read_fred_csv
from tidemark.reading import SourceFile
from tidemark.sources import Parsed
from tidemark.steps import with_steps

FIRST_WEDNESDAY = date(2002, 12, 18)


def parse_treast(file: SourceFile) -> Parsed:
    """`observation_date,TREAST`, USD million, every Wednesday since 2002-12-18."""
    return Parsed(
        read_fred_csv(
            file,
            series="TREAST",
            measure="holdings",
            unit="usd_mn",
            first=FIRST_WEDNESDAY,
            following=lambda wednesday: wednesday + timedelta(weeks=1),
        )
    )


PARSERS = {"treast": parse_treast}
CHECKS = {"treast": with_steps}
