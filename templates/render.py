"""Renders the files of a new source from templates/source/, to be filled in.

python templates/render.py SOURCE[/DATASET]      as `make new-source ID=SOURCE[/DATASET]` does
"""

from __future__ import annotations

import json
import keyword
import re
import sys
from pathlib import Path
from string import Template

from tidemark import cli, sources
from tidemark.errors import UsageError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FIRST_DATASET = "figures"
# Longer names would break lines, and read badly.
LONGEST = 30
FILES = {
    "passport.yml": "sources/$source.yml",
    "module.py": "src/tidemark/sources/$source.py",
    "suite.json": "expectations/$source/$dataset.json",
    "staging.sql": "dbt_project/models/staging/$source/stg_${source}__$dataset.sql",
    "staging.yml": "dbt_project/models/staging/$source/_$source.yml",
    "test.py": "tests/sources/test_$source.py",
}


def render(source: str, dataset: str) -> dict[Path, str]:
    """The new source's files by their paths."""
    names = {"source": source, "dataset": dataset}
    return {
        ROOT / Template(path).substitute(names): Template(
            (HERE / "source" / f"{name}.template").read_text("utf-8")
        ).substitute(names)
        for name, path in FILES.items()
    }


def expect_name(source: str, dataset: str) -> None:
    """The names are new ones that everything made of them can bear.

    Raises:
        UsageError: says which one cannot be, and why.
    """
    schema = json.loads((ROOT / "sources" / "passport.schema.json").read_text("utf-8"))
    for what, name, form in (
        ("source", source, schema["properties"]["id"]["pattern"]),
        ("dataset", dataset, schema["$defs"]["dataset"]["properties"]["id"]["pattern"]),
    ):
        if not re.fullmatch(form, name):
            raise UsageError(f"{name!r} cannot name a {what}", f"its names look so: {form}")
        if len(name) > LONGEST:
            raise UsageError(f"{name!r} is too long to name a {what}", f"{LONGEST} letters are the most")
    if keyword.iskeyword(source):
        raise UsageError(f"{source!r} is a word of Python's and cannot name a module", "choose another")
    if (ROOT / "sources" / f"{source}.yml").exists():
        raise UsageError(
            f"there is a source {source!r} already: sources/{source}.yml",
            "a dataset is added to it by hand: docs/adding-a-source.md",
        )
    if source == "marts" or hasattr(sources, source):
        raise UsageError(f"{source!r} has a meaning of its own in the project", "choose another")


def main() -> None:
    if len(sys.argv) != 2 or not sys.argv[1]:
        raise UsageError("no source is named", "name it: make new-source ID=ecb, or ID=ecb/rates")
    source, slash, dataset = sys.argv[1].partition("/")
    if not slash:
        dataset = FIRST_DATASET
    expect_name(source, dataset)
    files = render(source, dataset)
    for path in files:
        if path.exists():
            raise UsageError(
                f"{path.relative_to(ROOT)} stands there already", "move it away, or choose another id"
            )
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    print("Fill in what is marked FILL IN, `make test` until it is green, then `make docs`.")


if __name__ == "__main__":
    sys.exit(cli.guarded(main))
