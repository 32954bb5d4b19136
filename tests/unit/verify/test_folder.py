import os
import stat
from types import SimpleNamespace

import pytest

from plainview.verify import folder as module
from plainview.verify.errors import NotAPackageError, UnreadableError
from plainview.verify.folder import extended_path, list_folder, read_small_file, stream_file


def test_a_folder_that_is_not_there_is_no_package(tmp_path):
    with pytest.raises(NotAPackageError, match="No such file"):
        list_folder(str(tmp_path / "nothing"))


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotAPackageError, match="Not a directory"):
        list_folder(str(tmp_path / "file"))


def test_a_folder_within_that_cannot_be_read_is_said_to_be_so(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    scan = module._scan

    def refusing(path):
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(module, "_scan", refusing)
    assert list_folder(str(tmp_path))["closed"].kind == "folder that cannot be read: Permission denied"


def test_too_many_entries_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_ENTRIES", 2)
    for name in "abc":
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(NotAPackageError, match="more than 2"):
        list_folder(str(tmp_path))


def test_folders_deeper_than_any_package_are_named_and_not_entered(tmp_path):
    deep = tmp_path.joinpath(*"abcdefghij")
    deep.mkdir(parents=True)
    assert {path: entry.kind for path, entry in list_folder(str(tmp_path)).items()} == {
        "a/b/c/d/e/f/g/h": "folder"
    }


def test_a_junction_of_windows_is_a_link():
    status = SimpleNamespace(st_file_attributes=0x400, st_mode=stat.S_IFDIR, st_size=0)
    assert module._entry_of(status).kind == "symbolic link"


def test_what_the_system_does_not_name_is_of_an_unknown_kind():
    assert module._entry_of(SimpleNamespace(st_mode=0, st_size=0)).kind == "thing of an unknown kind"


def test_long_paths_are_spelled_out_on_windows():
    assert extended_path("/a", windows=True) == "\\\\?\\/a"
    assert extended_path("/a", windows=False) == "/a"


def test_a_file_comes_in_pieces_of_a_mib(tmp_path):
    (tmp_path / "file").write_bytes(bytes((2 << 20) + 5))
    assert [len(piece) for piece in stream_file(str(tmp_path), "file")] == [1 << 20, 1 << 20, 5]


def test_a_file_that_grows_while_it_is_read_is_not_judged(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(2 << 20))
    pieces = stream_file(str(tmp_path), "file")
    next(pieces)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(UnreadableError, match="changed while"):
        list(pieces)


def test_a_file_that_is_touched_while_it_is_read_is_not_judged(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(2 << 20))
    pieces = stream_file(str(tmp_path), "file")
    next(pieces)
    os.utime(path, ns=(1, 1))
    with pytest.raises(UnreadableError, match="changed while"):
        list(pieces)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(UnreadableError, match="cannot be read"):
        list(stream_file(str(tmp_path), "link"))


def test_a_pipe_put_in_a_files_place_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableError, match="not a regular file"):
        list(stream_file(str(tmp_path), "pipe"))


def test_a_file_over_its_limit_is_not_kept(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert read_small_file(str(tmp_path), "file", limit_bytes=5) == b"12345"
    with pytest.raises(UnreadableError, match="at most 4"):
        read_small_file(str(tmp_path), "file", limit_bytes=4)
