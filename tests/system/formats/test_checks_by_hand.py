"""The commands that docs/formats gives a reader work as printed, and fail on an altered file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from vectors.make_format_examples import PAGES, example_files

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = re.compile(r"<!-- (run|python) -->\n```[a-z]+\n(.*?)```\n", re.DOTALL)
BLOCKS = [
    pytest.param(kind, text, id=f"{path.stem}-{number}")
    for path in sorted(PAGES.glob("*.md"))
    for number, (kind, text) in enumerate(COMMANDS.findall(path.read_text(encoding="utf-8")))
]
TOOLS = ("bash", "openssl", "sha256sum", "od", "python3")
SCRIPTS = {"run": ["bash", "-eu", "-c"], "python": [sys.executable, "-c"]}

pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in TOOLS), reason=f"NOT TRIED: not all of {', '.join(TOOLS)} are here"
)


def run(kind: str, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SCRIPTS[kind], text], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def write_examples(folder: Path, *, alter: bool = False) -> None:
    for name, data in example_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Letters and digits become their neighbours: every file stays text, and says something else.
        path.write_bytes(
            re.sub(rb"[1357acegikmoqsu]", lambda m: bytes([m.group()[0] + 1]), data) if alter else data
        )


@pytest.mark.parametrize(("kind", "text"), BLOCKS)
def test_a_check_by_hand_works_as_printed(kind: str, text: str, tmp_path: Path) -> None:
    write_examples(tmp_path)
    done = run(kind, text, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("kind", "text"), [block for block in BLOCKS if "identifiers" not in str(block.id)])
def test_a_check_by_hand_fails_on_altered_files(kind: str, text: str, tmp_path: Path) -> None:
    write_examples(tmp_path, alter=True)
    assert run(kind, text, tmp_path).returncode != 0


def test_every_page_says_how_to_check() -> None:
    assert len(BLOCKS) >= 15
