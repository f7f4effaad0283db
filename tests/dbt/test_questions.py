"""docs/questions.md: twenty questions, and what the published release of the snapshot answers."""

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

PAGE = questions.PAGE.read_text(encoding="utf-8")
ASKED = list(questions.blocks(PAGE))
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
