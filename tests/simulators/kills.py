"""Kill a whole ingest again and again, restart it at once, and hold it to what it had said."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time

from simulators.offered_files import footage
from simulators.program import (
    PROGRAM,
    environment,
    ingest,
    kill_everything,
    outcomes,
    plainview,
    processes_of,
    start,
)

SAFE = ("received", "duplicate", "quarantined")


class Acknowledged:
    """What was printed as safe so far: for each path, its SHA-256 and its recording."""

    def __init__(self):
        self.by_path = {}

    def add(self, found):
        """Note outcomes; what was said once must be said again in the same words."""
        for outcome in found:
            if outcome["status"] in SAFE:
                said = (outcome["sha256"], outcome["recording"])
                assert self.by_path.setdefault(outcome["path"], said) == said
            assert outcome["status"] != "refused", outcome


def add_files(card, round_number, count):
    """Put new files on the card: footage, and every sixth a text."""
    for number in range(count):
        data = (
            b"no footage %d %d" % (round_number, number)
            if number % 6 == 5
            else footage(f"{round_number} {number}")
        )
        (card / f"{round_number:04}-{number:02}.mp4").write_bytes(data)


def ingest_and_kill(card, *, data, random, longest_s, stop=kill_everything):
    """Start an ingest, stop it at a random moment, and return what it had printed by then."""
    running = start("ingest", "--json", card, data=data)
    # Half of the moments fall into the start of the database, half into the work.
    first = running.stdout.readline() if random.random() < 0.5 else ""
    time.sleep(random.uniform(0, longest_s))
    stop(running, data)
    with contextlib.closing(running.stdout), contextlib.closing(running.stderr):
        rest, said = running.stdout.read(), running.stderr.read()
    running.wait(timeout=60)
    assert "Traceback" not in said, said
    return outcomes(first + rest)


def check_all(card, *, data, acknowledged, package):
    """Offer everything once more, and check every promise.

    Acknowledged means present, byte-identical, logged and provable; nothing is there twice; nothing runs on.
    """
    known_before = dict(acknowledged.by_path)
    found, done = ingest(card, data=data)
    assert done.returncode in {0, 1}, done.stderr
    acknowledged.add(found)
    again = {outcome["path"]: outcome for outcome in found}
    for path in known_before:
        assert again[path]["status"] == "duplicate", again[path]
    recordings = [outcome["recording"] for outcome in found if outcome["recording"]]
    assert len(set(recordings)) == len(recordings)
    listed = [
        json.loads(line)["recording"] for line in plainview("list", "--json", data=data).stdout.splitlines()
    ]
    assert sorted(listed) == sorted(recordings)
    checked = plainview("fsck", data=data)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    _check_package(found, recordings, data=data, package=package)
    assert processes_of(data) == set()


def _check_package(found, recordings, *, data, package):
    made = plainview("export", *recordings, "-o", package, "--json", data=data)
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["key"]
    checked = subprocess.run(
        [*PROGRAM, "verify", str(package), "--key", key],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert checked.returncode == 0, checked.stdout
    digests = (package / "manifest-sha256.txt").read_text()
    for outcome in found:
        assert (outcome["sha256"] in digests) == (outcome["recording"] is not None)
