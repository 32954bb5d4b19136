"""Every numbered attack, and the page that tells of them."""

import importlib.util
import tempfile
from functools import lru_cache
from pathlib import Path

import pytest

from plainview.verify.package import check_package
from simulators.attacks import all_rows
from simulators.package_attacks import GOLDEN_KEY, golden

ROOT = Path(__file__).resolve().parents[3]
ROWS = all_rows()


@lru_cache
def outcome(number):
    row = next(row for row in ROWS if row.number == number)
    with tempfile.TemporaryDirectory() as scratch:
        return row.run(Path(scratch))


def test_the_golden_package_is_ok_before_anything_is_done_to_it(tmp_path):
    report = check_package(str(golden(tmp_path / "package").folder), keys=[GOLDEN_KEY])
    assert {result.verdict for result in report.files} == {"OK"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_each_attack_gets_the_verdict_that_was_meant(row):
    verdict, details = outcome(row.number)
    assert verdict == row.verdict, details


def test_no_attack_ends_in_ok():
    assert "OK" not in {row.verdict for row in ROWS}


def test_the_page_of_attacks_is_what_running_them_gives():
    spec = importlib.util.spec_from_file_location("make_attacks", ROOT / "tests/vectors/make_attacks.py")
    make_attacks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_attacks)
    page = make_attacks.table([(row, *outcome(row.number)) for row in ROWS])
    assert make_attacks.PAGE.read_text(encoding="utf-8") == page, "run python tests/vectors/make_attacks.py"
