from pathlib import Path

import pytest

from plainview.service.binaries import _newest_first, parse_major


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ("postgres (PostgreSQL) 18.4\n", 18),
        ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n", 15),
        ("postgres (PostgreSQL) 19beta1\n", 19),
        ("postgres (Something else) 18.4\n", None),
        ("", None),
    ],
)
def test_the_version_is_read_from_what_the_program_says(text, major):
    assert parse_major(text) == major


def test_newer_programs_come_first():
    folders = [Path(f"/usr/lib/postgresql/{number}/bin") for number in (9, 18, 15)]
    names = [folder.parent.name for folder in _newest_first([*folders, Path("/opt/other/bin")])]
    assert names == ["18", "15", "9", "other"]
