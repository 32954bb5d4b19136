"""The whole ingest with its database, for as long as somebody has patience: make torture.

TORTURE_KILLS (300), TORTURE_CUTS (30) and TORTURE_FILES (10000) say how much of each; TORTURE_SEED begins elsewhere.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from simulators.kills import Acknowledged, add_files, check_all, ingest_and_kill
from simulators.offered_files import footage
from simulators.program import descendants, ingest, kill_everything, plainview, processes_of, start

KILLS = int(os.environ.get("TORTURE_KILLS", "300"))
CUTS = int(os.environ.get("TORTURE_CUTS", "30"))
FILES = int(os.environ.get("TORTURE_FILES", "10000"))
SEED = int(os.environ.get("TORTURE_SEED", "20260314"))
KILLS_A_PLACE = 30
DISK_BYTES = 600 << 20
GROWTH_LIMIT_BYTES = 24 << 20


@pytest.mark.parametrize("place", range(-(-KILLS // KILLS_A_PLACE)))
def test_hundreds_of_kills_lose_nothing_acknowledged(place, tmp_path):
    data, card, acknowledged, moments = (
        tmp_path / "data",
        tmp_path / "card",
        Acknowledged(),
        random.Random(SEED + place),
    )
    card.mkdir()
    for number in range(min(KILLS_A_PLACE, KILLS - place * KILLS_A_PLACE)):
        add_files(card, number, 6)
        acknowledged.add(ingest_and_kill(card, data=data, random=moments, longest_s=2.0))
    check_all(card, data=data, acknowledged=acknowledged, package=tmp_path / "package")


# --- power cuts


class Disk:
    """A disk of its own, in a file: what the file holds at a moment is what a loss of power would leave."""

    def __init__(self, folder):
        self.image, self.snapshot, self.at = folder / "disk.img", folder / "snapshot.img", folder / "disk"
        self.at.mkdir()
        with self.image.open("wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", str(self.image)], check=True)

    def mount(self):
        # The file system writes by itself only every five minutes: what nobody asked to be synced is lost.
        done = subprocess.run(
            ["mount", "-o", "loop,commit=300", str(self.image), str(self.at)], capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode != 0:
            pytest.skip(f"NO LOOP DEVICES: power cuts were not tried ({done.stderr.strip()})")

    def cut(self, running, data):
        """Stop everything, keep what has reached the disk, and go on from that."""
        for _ in range(3):  # what was started while the first were stopped
            for pid in {running.pid, *descendants(running.pid)} | processes_of(data):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
        subprocess.run(["cp", "--sparse=always", str(self.image), str(self.snapshot)], check=True)
        kill_everything(running, data)
        while processes_of(data):
            time.sleep(0.05)
        self.unmount()
        self.snapshot.replace(self.image)
        self.mount()

    def unmount(self):
        for _ in range(100):
            if subprocess.run(["umount", str(self.at)], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError(f"{self.at} cannot be unmounted")


@pytest.fixture
def disk(tmp_path):
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("NOT ROOT, OR NO mkfs.ext4: power cuts were not tried")
    made = Disk(tmp_path)
    made.mount()
    yield made
    subprocess.run(["umount", "--lazy", str(made.at)], check=False)


def test_power_cuts_lose_nothing_acknowledged(disk, tmp_path):
    data, card, acknowledged, moments = (
        disk.at / "data",
        tmp_path / "card",
        Acknowledged(),
        random.Random(SEED),
    )
    card.mkdir()
    for number in range(CUTS):
        add_files(card, number, 6)
        acknowledged.add(ingest_and_kill(card, data=data, random=moments, longest_s=2.0, stop=disk.cut))
    check_all(card, data=data, acknowledged=acknowledged, package=tmp_path / "package")


# --- a large folder


def test_a_folder_of_thousands_goes_in_with_even_memory_and_can_be_gone_on_with(tmp_path, capsys):
    data, card = tmp_path / "data", tmp_path / "card"
    for number in range(FILES):
        folder = card / f"{number // 500:03}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05}.mp4").write_bytes(footage(f"many {number}"))
    running, began, said, memory = start("ingest", "--json", card, data=data), time.monotonic(), [], []
    for line in running.stdout:
        said.append(json.loads(line))
        if len(said) % max(1, FILES // 20) == 0:
            memory.append(resident_bytes(running.pid))
        if len(said) == FILES // 2 and running.poll() is None:
            kill_everything(running, data)
    half_s = time.monotonic() - began
    running.communicate()
    memory = [held for held in memory if held]
    assert {outcome["status"] for outcome in said} == {"received"}
    assert max(memory) - memory[1] < GROWTH_LIMIT_BYTES, memory
    began = time.monotonic()
    found, done = ingest(card, data=data, limit_s=3600)
    rest_s = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert [outcome["path"] for outcome in found] == sorted(str(path) for path in card.rglob("*.mp4"))
    assert {outcome["status"] for outcome in found[: len(said)]} == {"duplicate"}
    assert len({outcome["recording"] for outcome in found}) == FILES
    checked = plainview("fsck", data=data, limit_s=3600)
    assert checked.returncode == 0, checked.stdout
    with capsys.disabled():
        print(
            f"\n{FILES} files: {len(said) / half_s:.0f} a second; the second half after a kill in {rest_s:.0f} s; "
            f"memory {min(memory) >> 20} to {max(memory) >> 20} MiB"
        )


def resident_bytes(pid):
    """Return how much memory a process holds, or 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
