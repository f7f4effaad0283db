"""docs/questions.md and docs/cookbook.md: queries, and what the published release of the snapshot answers."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tidemark.settings import Home, project_root

_spec = importlib.util.spec_from_file_location("docs_questions", project_root() / "docs" / "questions.py")
assert _spec is not None
assert _spec.loader is not None
questions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(questions)

PAGE, COOKBOOK = (page.read_text(encoding="utf-8") for page in questions.PAGES)
ASKED = list(questions.blocks(PAGE))
COOKED = list(questions.blocks(COOKBOOK))
NAMES = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)


def test_there_are_twenty_questions_each_with_its_query() -> None:
    assert [name.split(".")[0] for name in NAMES] == [str(number) for number in range(1, 21)]
    assert len(ASKED) == 20
    assert PAGE.count("```sql") == 20


@pytest.mark.parametrize(("sql", "stands"), ASKED, ids=NAMES)
def test_the_answer_below_a_question_is_what_the_release_says(
    loaded_template: Home, sql: str, stands: str
) -> None:
    assert questions.answer(loaded_template, sql) == stands
    assert stands.count("\n") > 2, "a question without an answer"


def test_the_cookbook_has_a_dozen_patterns() -> None:
    assert len(COOKED) == COOKBOOK.count("```sql") >= 10


@pytest.mark.parametrize(("sql", "stands"), COOKED)
def test_a_pattern_of_the_cookbook_gives_the_answer_below_it(
    loaded_template: Home, sql: str, stands: str
) -> None:
    assert questions.answer(loaded_template, sql) == stands
    assert stands.count("\n") > 2, "a pattern without an answer"
