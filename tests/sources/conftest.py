import pytest

from tidemark import quality
from tidemark.settings import Home


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Runs suites somewhere where nothing is loaded."""
    with quality.checking(Home(tmp_path_factory.mktemp("checking"))) as runs_suite:
        yield runs_suite
