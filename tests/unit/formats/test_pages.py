"""docs/formats shows what the code writes today."""

from __future__ import annotations

import re

import pytest

from vectors.make_format_examples import BLOCK, PAGES, examples, fill_page

EXAMPLES = examples()
MODULES = (
    *("leaf", "checkpoint", "proof", "policy", "receipt", "object", "package", "chunks", "recovery", "log"),
    *("identifiers", "capture"),
)


@pytest.mark.parametrize("name", MODULES)
def test_a_page_shows_the_example_the_code_writes(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert BLOCK.search(page), "no example"
    assert fill_page(page, EXAMPLES) == page, "run python tests/vectors/make_format_examples.py"


def test_every_example_is_on_some_page() -> None:
    shown = {
        match.group(2)
        for name in MODULES
        for match in BLOCK.finditer((PAGES / f"{name}.md").read_text(encoding="utf-8"))
    }
    assert shown == EXAMPLES.keys()


def test_a_page_that_differs_would_be_seen() -> None:
    page = (PAGES / "leaf.md").read_text(encoding="utf-8")
    assert fill_page(page.replace("recording.received", "recording.dreamt"), EXAMPLES) != page.replace(
        "recording.received", "recording.dreamt"
    )


def test_the_index_names_every_page() -> None:
    listed = set(re.findall(r"\]\(([a-z-]+)\.md\)", (PAGES / "README.md").read_text(encoding="utf-8")))
    assert set(MODULES) <= listed
    assert {path.stem for path in PAGES.glob("*.md")} - {"README"} <= listed
