from pathlib import Path

import pytest

from plainview.service.postgres import _newest_first, is_socket_path_usable, parse_major, rotate_log


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


@pytest.mark.parametrize(
    ("folder", "is_usable"),
    [
        ("/home/officer/.local/share/plainview/service/socket", True),
        ("/" + "d" * 79, True),
        ("/" + "d" * 80, False),
        ("/data, the other/socket", False),
        ("/it's/socket", False),
        ("/données/socket", False),
    ],
)
def test_a_socket_needs_a_short_plain_path(folder, is_usable):
    assert is_socket_path_usable(Path(folder)) == is_usable


def test_a_small_log_is_left_alone(tmp_path):
    log = tmp_path / "postgres.log"
    rotate_log(log, limit_bytes=3)
    log.write_text("abc")
    rotate_log(log, limit_bytes=3)
    assert log.read_text() == "abc"


def test_a_grown_log_is_moved_aside_over_the_one_before(tmp_path):
    log = tmp_path / "postgres.log"
    (tmp_path / "postgres.log.1").write_text("oldest")
    log.write_text("abcd")
    rotate_log(log, limit_bytes=3)
    assert not log.exists()
    assert (tmp_path / "postgres.log.1").read_text() == "abcd"
