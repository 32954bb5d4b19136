"""kill -9 of everything at any moment with an instant restart: nothing acknowledged is lost, nothing is there twice."""

import os
import random
import signal
from pathlib import Path

import pytest

from plainview.vault.keys import open_key_store
from plainview.vault.local import LocalStore
from plainview.vault.receive import receive
from simulators.kills import Acknowledged, add_files, check_all, ingest_and_kill
from simulators.offered_files import footage
from simulators.program import descendants, ingest, leaves, plainview, processes_of, start

KILLS = 12


@pytest.mark.slow
def test_killing_everything_at_any_moment_loses_nothing_acknowledged(tmp_path):
    data, card, acknowledged, moments = (
        tmp_path / "data",
        tmp_path / "card",
        Acknowledged(),
        random.Random(20260314),
    )
    card.mkdir()
    # The first kills fall into the making of the data directory itself.
    for number in range(KILLS):
        add_files(card, number, 6)
        found = ingest_and_kill(card, data=data, random=moments, longest_s=1.5)
        acknowledged.add(found)
    assert acknowledged.by_path, "no kill came late enough: the moments test nothing"
    check_all(card, data=data, acknowledged=acknowledged, package=tmp_path / "package")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_stopping_the_program_alone_leaves_nothing_running(number, data, tmp_path):
    add_files(tmp_path, int(number), 12)
    running = start("ingest", "--json", tmp_path, data=data)
    running.stdout.readline()
    below = descendants(running.pid)
    assert len(below) > 2
    os.kill(running.pid, number)
    running.communicate(timeout=60)
    found, done = ingest(tmp_path, data=data)
    assert len(found) == 12
    assert {outcome["status"] for outcome in found} <= {"received", "duplicate", "quarantined"}, done.stderr
    assert processes_of(data) == set()


@pytest.mark.parametrize("what", ["database", "decoder jail"])
def test_when_a_part_dies_the_run_says_so_and_the_next_goes_on(what, data, tmp_path):
    add_files(tmp_path, 1000 + len(what), 12)
    running = start("ingest", "--json", tmp_path, data=data)
    running.stdout.readline()
    os.kill(child_of(running.pid, is_database=what == "database"), signal.SIGKILL)
    _, said = running.communicate(timeout=120)
    assert running.returncode in {1, 2}
    assert "Traceback" not in said
    assert (running.returncode == 2) == said.startswith("plainview: ")
    found, _ = ingest(tmp_path, data=data)
    assert len(found) == 12
    assert all(outcome["status"] != "refused" for outcome in found)


def child_of(pid, *, is_database):
    """Return the program's direct child that is the database, or the one that is not."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(
        int(c) for c in children if (b"postgres" in Path(f"/proc/{c}/cmdline").read_bytes()) == is_database
    )


def test_a_stored_object_without_a_record_becomes_the_recording_when_offered_again(data, tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(footage("adopted"))
    store, keys = LocalStore(data / "objects"), open_key_store(data / "keys")
    with file.open("rb") as stream:
        stored = receive(stream, store=store, keys=keys)
    (outcome,), done = ingest(file, data=data)
    assert (outcome["status"], outcome["sha256"]) == ("received", stored.sha256)
    assert "now in the records: 1" in done.stderr
    acts = [(leaf["act"], leaf["facts"].get("object")) for leaf in leaves(data)]
    assert ("object.adopted", stored.object_id) in acts
    assert ("recording.received", stored.object_id) in acts
    assert plainview("fsck", data=data).returncode == 0


def test_of_two_stored_copies_without_a_record_one_is_kept(data, tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(footage("adopted twice"))
    store, keys = LocalStore(data / "objects"), open_key_store(data / "keys")
    for _ in range(2):
        with file.open("rb") as stream:
            receive(stream, store=store, keys=keys)
    before = len(list(store.names()))
    (outcome,), _ = ingest(file, data=data)
    assert outcome["status"] == "received"
    assert len(list(store.names())) == before - 1
