import json
import re
from pathlib import Path

import pytest

from plainview.verify.report import CONCLUSIONS, format_report, format_report_json, shown
from plainview.verify.results import FileResult, PackageReport
from plainview.verify.verdicts import VERDICTS, gravest

PAGE = Path(__file__).resolve().parents[3] / "docs/formats/verdicts.md"


def test_the_page_has_a_row_for_each_verdict_as_the_checker_has_it():
    rows = re.findall(
        r"^\| ([A-Z ]+) \| (.+?) \| (.+?) \| (\d) \| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert rows == [(v.word, v.condition, v.sentence, str(v.exit_code)) for v in VERDICTS]


def test_each_verdict_has_a_conclusion():
    assert CONCLUSIONS.keys() == {verdict.word for verdict in VERDICTS}


@pytest.mark.parametrize("at", range(len(VERDICTS)))
def test_the_gravest_verdict_is_the_verdict_on_the_whole(at):
    words = [verdict.word for verdict in VERDICTS[at:]]
    assert gravest(reversed(words)) == VERDICTS[at]


@pytest.mark.parametrize("word", [verdict.word for verdict in VERDICTS])
def test_every_verdict_can_be_written_in_both_forms(word):
    report = PackageReport(files=(FileResult("a", word, "because"),))
    assert f"Result: {word}." in format_report(report)
    assert json.loads(format_report_json(report))["verdict"] == word


def test_the_word_valid_is_never_said():
    said = " ".join(
        [*CONCLUSIONS.values(), *(v.sentence for v in VERDICTS), PAGE.read_text(encoding="utf-8")]
    )
    assert re.search(r"\b(valid|verified|authentic|tamper)\b", said, re.IGNORECASE) is None


def test_names_cannot_steer_a_terminal_or_run_backwards():
    name = "\x1b[2J\r\nOK \u202egpj.exe\udcff\u200b"
    line = shown(name)
    assert line == "\\u{1b}[2J\\u{d}\\u{a}OK \\u{202e}gpj.exe\\u{dcff}\\u{200b}"
    assert line.isascii()


def test_json_keeps_a_name_that_is_no_text():
    report = PackageReport(files=(FileResult("\udcff", "UNLISTED"),))
    assert json.loads(format_report_json(report))["files"][0]["path"] == "\udcff"
