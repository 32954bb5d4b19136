import stat

import pytest

from plainview.service.files import write_private_file


def test_a_private_file_is_replaced_whole(tmp_path):
    path = tmp_path / "secret"
    write_private_file(path, b"first, longer")
    write_private_file(path, b"second")
    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_what_an_interrupted_write_left_is_replaced(tmp_path):
    (tmp_path / ".secret.new").write_bytes(b"half")
    write_private_file(tmp_path / "secret", b"whole")
    assert (tmp_path / "secret").read_bytes() == b"whole"


def test_a_link_in_place_of_the_temporary_file_is_not_written_through(tmp_path):
    (tmp_path / "victim").write_bytes(b"kept")
    (tmp_path / ".secret.new").symlink_to(tmp_path / "victim")
    write_private_file(tmp_path / "secret", b"whole")
    assert (tmp_path / "victim").read_bytes() == b"kept"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "secret"
    write_private_file(path, b"old")
    with pytest.raises(TypeError):
        write_private_file(path, "not bytes")
    assert path.read_bytes() == b"old"
