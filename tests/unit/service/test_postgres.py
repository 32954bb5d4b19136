from pathlib import Path

import pytest

from plainview.service.postgres import is_socket_path_usable, rotate_log


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
