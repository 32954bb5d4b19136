"""A data directory of which a part was lost, and a disk without space: nothing is changed, and one sentence says what to do."""

import contextlib
import os
import shutil
import subprocess

import pytest

from simulators.offered_files import footage
from simulators.program import ingest, plainview, start


@pytest.fixture(scope="module")
def received(data, tmp_path_factory):
    """A recording in the data directory."""
    file = tmp_path_factory.mktemp("card") / "a.mp4"
    file.write_bytes(footage("kept"))
    (outcome,), _ = ingest(file, data=data)
    return outcome["recording"]


def run(command, *, data, received, folder):
    if command == "ingest":
        (folder / "new.mp4").write_bytes(footage(f"new {folder}"))
        return plainview("ingest", folder / "new.mp4", data=data)
    if command == "export":
        return plainview("export", received, "-o", folder / "package", data=data)
    return plainview("keys", "--rotate", data=data)


def kept_files(data):
    """Return every file that must not change, with its bytes: all but the database's, the logs and what SQLite leaves."""
    skipped = ("pg", "service", "lock")
    return {
        path.relative_to(data): path.read_bytes()
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.relative_to(data).parts[0] not in skipped and path.suffix not in {".db-wal", ".db-shm"}
    }  # fmt: skip


@contextlib.contextmanager
def moved_away(path):
    away = path.with_name(f"{path.name}-away")
    path.rename(away)
    try:
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        away.rename(path)


LOST = {
    "keys": ("key store was lost", ["ingest"]),
    "keys/master.key": ("master.key", ["ingest"]),
    "keys/keys.sqlite": ("key store", ["ingest"]),
    "pg": ("the database knows of none", ["ingest", "export", "rotate"]),
    "checkpoint-store.sqlite": ("the checkpoint store does not hold", ["export", "rotate"]),
    "objects": ("disk is mounted", ["ingest", "export"]),
    "log": ("hold", ["ingest"]),
    "service/passwords.json": ("put it back", ["ingest"]),
}


@pytest.mark.parametrize("part", LOST)
def test_a_lost_part_is_named_and_nothing_changes(part, data, received, tmp_path):
    sentence, commands = LOST[part]
    before = kept_files(data)
    with moved_away(data / part):
        without = kept_files(data)
        for command in commands:
            done = run(command, data=data, received=received, folder=tmp_path)
            assert (done.returncode, done.stdout) == (2, ""), (command, done)
            assert done.stderr.startswith("plainview: ")
            assert sentence in done.stderr, command
            assert len(done.stderr.splitlines()) == 1
            assert not (tmp_path / "package").exists()
        after = {
            path: data for path, data in kept_files(data).items() if path.name != "checkpoint-store.sqlite"
        }
        assert after == {
            path: data for path, data in without.items() if path.name != "checkpoint-store.sqlite"
        }
    # Put back, everything is as it was; that it works then is tried below.
    assert kept_files(data) == before


def test_an_empty_folder_where_the_objects_disk_should_be_is_refused(data, received, tmp_path):
    with moved_away(data / "objects"):
        (data / "objects").mkdir(mode=0o700)
        done = run("ingest", data=data, received=received, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Check that its disk is mounted" in done.stderr
        assert not list((data / "objects").rglob("*.*"))
    assert run("ingest", data=data, received=received, folder=tmp_path).stdout.startswith("received")


def test_the_master_key_of_another_place_is_refused(data, received, tmp_path):
    other = tmp_path / "other"
    assert plainview("init", data=other).returncode == 0
    with moved_away(data / "keys" / "master.key"):
        shutil.copy(other / "keys" / "master.key", data / "keys" / "master.key")
        done = run("ingest", data=data, received=received, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert "opens other keys" in done.stderr
    assert run("ingest", data=data, received=received, folder=tmp_path).stdout.startswith("received")
    assert run("export", data=data, received=received, folder=tmp_path).returncode == 0


# --- a full disk


@contextlib.contextmanager
def small_disk(folder, size):
    """Mount a disk of this many bytes on a folder that holds nothing yet."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", str(folder)], capture_output=True, check=False
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip("NO MOUNTING HERE: a full disk was not tried")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_and_goes_on_when_there_is_space(data, received, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("NOT ROOT: a full disk was not tried")
    large, small = tmp_path / "1-large.mp4", tmp_path / "2-small.mp4"
    large.write_bytes(footage("large") + os.urandom(6 << 20))
    small.write_bytes(footage("small"))
    away = data / "objects-away"
    with moved_away(data / "objects"):
        (data / "objects").mkdir(mode=0o700)
        with small_disk(data / "objects", 4 << 20):
            shutil.copytree(away, data / "objects", dirs_exist_ok=True)
            before = {path.name for path in (data / "objects").rglob("*") if path.is_file()}
            found, done = ingest(large, small, data=data)
            assert [(o["status"], o["reason"]) for o in found] == [
                ("refused", "disk_full"),
                ("received", None),
            ]
            assert "Free space" in found[0]["text"]
            assert done.returncode == 1
            now = {path.name for path in (data / "objects").rglob("*") if path.is_file()}
            assert len(now - before) == 1
            subprocess.run(["mount", "-o", "remount,size=32m", str(data / "objects")], check=True)
            again, _ = ingest(large, small, data=data)
            assert [o["status"] for o in again] == ["received", "duplicate"]
            shutil.copytree(data / "objects", away, dirs_exist_ok=True)


def test_when_the_database_has_no_space_nothing_acknowledged_is_lost(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("NOT ROOT: a full disk was not tried")
    place, card = tmp_path / "disk", tmp_path / "card"
    place.mkdir()
    card.mkdir()
    for number in range(4):
        (card / f"{number}.mp4").write_bytes(footage(f"no space {number}"))
    with small_disk(place, 110 << 20):
        data = place / "data"
        acknowledged = {o["recording"] for o in ingest(card / "0.mp4", data=data)[0]}
        for spare_bytes in (40 << 10, 2 << 20):
            fill(place / "filler", spare_bytes)
            found, done = ingest(card, data=data)
            assert "Traceback" not in done.stderr
            assert done.returncode in {0, 1, 2}
            if done.returncode == 2:
                assert done.stderr.startswith("plainview: ")
            assert all(o["reason"] == "disk_full" for o in found if o["status"] == "refused")
            acknowledged |= {o["recording"] for o in found if o["status"] in {"received", "duplicate"}}
            (place / "filler").unlink()
        found, done = ingest(card, data=data)
        assert done.returncode == 0, done.stderr
        assert acknowledged <= {o["recording"] for o in found}
        made = plainview("export", *sorted(acknowledged), "-o", place / "package", data=data)
        assert made.returncode == 0, made.stderr


def fill(path, spare_bytes):
    """Fill the disk but for this many bytes."""
    facts = os.statvfs(path.parent)
    with path.open("wb") as file:
        try:
            for _ in range(max(0, facts.f_bavail * facts.f_frsize - spare_bytes) // 4096):
                file.write(b"\0" * 4096)
        except OSError:
            pass  # full: that is the purpose


def test_a_full_disk_leaves_no_half_package(data, received, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("NOT ROOT: a full disk was not tried")
    place = tmp_path / "stick"
    place.mkdir()
    with small_disk(place, 64 << 10):
        done = plainview("export", received, "-o", place / "package", data=data)
        assert done.returncode == 2
        assert "No space left" in done.stderr
        assert list(place.iterdir()) == []


# --- being stopped


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_being_asked_to_stop_ends_it_in_order(number, code, data, tmp_path):
    for name in range(40):
        (tmp_path / f"{name:02}.mp4").write_bytes(footage(f"stop {number} {name}"))
    running = start("ingest", "--json", tmp_path, data=data)
    first = running.stdout.readline()
    assert '"received"' in first
    os.killpg(running.pid, number)
    said = running.stderr.read()
    rest = running.stdout.read()
    running.communicate()
    assert running.returncode == code, said
    assert "plainview: stopped. What was acknowledged is safe; run the command again." in said.splitlines()
    assert "Traceback" not in said
    found, done = ingest(tmp_path, data=data)
    assert done.returncode == 0
    assert len(found) == 40
    printed = len((first + rest).splitlines())
    assert sum(o["status"] == "duplicate" for o in found) >= printed
