"""plainview verify where nothing but Plainview's own files is installed, as with the [verify] extra alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from plainview.formats.note import format_vkey
from simulators.package_builder import build_package

SOURCE = Path(__file__).parents[3] / "src"
# -S: no site-packages, so no typer, no Django, no cryptography.
ALONE = [sys.executable, "-I", "-S", "-c"]
PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from plainview.cli import main; main()"


def alone(*arguments):
    command = [*ALONE, PROGRAM, str(SOURCE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_package(tmp_path_factory.mktemp("package") / "package")


def test_it_checks_a_package_without_any_dependency(built):
    done = alone("verify", built.folder, "--key", format_vkey(built.key))
    assert done.returncode == 0, done.stderr
    assert "Result: OK." in done.stdout


def test_it_says_whose_signature_it_does_not_know(built):
    assert alone("verify", built.folder).returncode == 3


def test_it_answers_for_its_options_and_for_what_is_no_package(built, tmp_path):
    assert "usage: plainview verify" in alone("verify", "--help").stdout
    assert alone("verify", tmp_path).returncode == 2
