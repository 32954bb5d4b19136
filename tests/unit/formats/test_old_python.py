"""What is copied into every package's verify.py must run on Python 3.8, which long-lived desktops still have."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import plainview

ROOT = Path(plainview.__file__).parent
MODULES = sorted(path for package in ("formats", "verify") for path in (ROOT / package).rglob("*.py"))
FIRST_PARTY = ("plainview.formats", "plainview.verify")
# Used where it is installed, for speed; never needed.
OPTIONAL = "cryptography"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_module_reads_as_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_module_needs_nothing_but_the_standard_library(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            first = name.split(".")[0]
            assert name.startswith(FIRST_PARTY) or first in sys.stdlib_module_names or first == OPTIONAL, name


def test_syntax_newer_than_python_3_8_would_be_seen() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("match x:\n    case 1: pass", feature_version=(3, 8))
    assert {path.parent.name for path in MODULES} == {"formats", "verify"}
