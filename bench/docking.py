"""Two hundred cameras docked at once against a real server: is every byte checked, and what do pages and memory do.

The server is the real one (plainview serve, with its workers); the docks are real docks, in a process of their own, a few
cameras' storage folders each. What the cameras hold is random: the server keeps it as it came, in quarantine, which takes
the same way in and gives the same receipts, and spares this benchmark the decoding of two hundred films.

Needs three times the cameras' bytes free in the system's temporary folder (TMPDIR).

Usage: python bench/docking.py [--cameras N] [--mib N]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plainview.project.settings")

import django

django.setup()

from rows import Row  # noqa: E402 - after Django, as everything here
from upload import answering, p95, page_ms, resident_bytes  # noqa: E402 - the same

from plainview.dock.errors import DockError  # noqa: E402 - the same
from plainview.dock.offload import offload_folder  # noqa: E402 - the same
from plainview.dock.pace import Pace  # noqa: E402 - the same
from plainview.dock.server import HttpServer  # noqa: E402 - the same
from simulators.camera_http import CameraStorage  # noqa: E402 - the same
from simulators.program import plainview  # noqa: E402 - the same
from simulators.senders import Sender, add_people  # noqa: E402 - the same
from simulators.servers import Server, serving  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plainview.dock.words import Bay
    from plainview.formats.note import VerifierKey

MIB = 1 << 20
CAMERAS, FOOTAGE_MIB, DOCKS = 200, 2, 4
TARGET_BYTES = 600_000_000
TARGET_RATIO = 0.8
TARGET_MS = 300.0
# Flat: the last third of the time takes at most so much more than the middle one.
FLAT_RATIO = 1.1
PAGES = ("/healthz", "/recordings")


@dataclass(frozen=True)
class Told:
    """What a process of docks found: when the first byte went, the last one was there, and the last receipt checked."""

    began_s: float
    sent_s: float
    checked_s: float
    files: int
    checked: int
    left: int
    problems: tuple[str, ...]


def make_cameras(folder: Path, count: int, mib: int, seed: int) -> list[CameraStorage]:
    """Write the storage of so many cameras: a recording and its journal each."""
    generator, made = random.Random(seed), []
    for number in range(count):
        storage = CameraStorage(folder / f"{seed}-{number}", serial=f"B{seed}N{number}", make="Bench")
        (storage.folder / "request.note").unlink()
        storage.add_stream(1, generator.randbytes(mib * MIB), generator.randbytes(20_000))
        made.append(storage)
    return made


def dock_all(
    address: str, token: str, log_keys: tuple[VerifierKey, ...], cameras: list[CameraStorage]
) -> Told:
    """Put every camera into a dock at the same moment; return when all of them are done."""
    paces = [Pace() for _ in range(min(DOCKS, len(cameras)))]
    sent_s: list[float] = []
    bays: list[Bay] = []
    problems: list[str] = []
    lock = threading.Lock()

    def one(number: int, storage: CameraStorage) -> None:
        last = [0.0]

        def note(bay: Bay) -> None:
            if not last[0] and bay.files and all(each.state in ("sent", "checked") for each in bay.files):
                last[0] = time.monotonic()

        server = HttpServer(address, token)
        try:
            bay = offload_folder(
                storage.folder, server, log_keys=log_keys, pace=paces[number % len(paces)], on_change=note
            )
        except DockError as error:
            problems.append(f"{storage.folder.name}: {error}")
            return
        with lock:
            sent_s.append(last[0])
            bays.append(bay)
            problems.extend(bay.problems)

    threads = [threading.Thread(target=one, args=each) for each in enumerate(cameras)]
    began_s = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Told(
        began_s=began_s,
        sent_s=max(sent_s, default=began_s),
        checked_s=time.monotonic(),
        files=2 * len(cameras),
        checked=sum(bay.checked for bay in bays),
        left=sum(len(storage.streams()) for storage in cameras),
        problems=tuple(dict.fromkeys(problems)),
    )


def elsewhere(*arguments: object) -> tuple[multiprocessing.Process, multiprocessing.SimpleQueue]:
    """Dock in a process of its own."""
    told = multiprocessing.SimpleQueue()
    child = multiprocessing.get_context("fork").Process(target=lambda: told.put(dock_all(*arguments)))
    child.start()
    return child, told


@contextlib.contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """Note the memory of the process that answers, and of all below it, ten times a second."""
    over, peaks = threading.Event(), []

    def watch() -> None:
        while not over.wait(0.1):
            with contextlib.suppress(OSError):
                peaks.append(resident_bytes(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def web_bytes(server: Server) -> int:
    """Return what the other processes of the web part hold: they change little."""
    web = server.part("web")
    return resident_bytes(web) + sum(resident_bytes(pid) for pid in server.children_of(web))


def throughput(told: Told, size_bytes: int) -> float:
    return size_bytes / (told.sent_s - told.began_s) / 1e6


def measure(server: Server, token: str, sender: Sender, scratch: Path, cameras: int, mib: int) -> list[Row]:
    connection = HttpServer(server.address, token)
    log_keys = connection.hello().log_keys
    connection.close()
    # One camera with as much on it as eight, after one that warms everything up.
    lone = []
    for seed in (1, 2):
        storage = make_cameras(scratch, 1, mib, seed)[0]
        for number in range(2, 9):
            storage.add_stream(number, random.Random(f"{seed}.{number}").randbytes(mib * MIB))
        child, told = elsewhere(server.address, token, log_keys, [storage])
        lone.append(told.get())
        child.join()
    alone_mb_s = throughput(lone[1], 8 * mib * MIB)
    many = make_cameras(scratch, cameras, mib, 3)
    others = web_bytes(server) - resident_bytes(answering(server))
    pages: dict[str, list[float]] = {path: [] for path in PAGES}
    with watched(answering(server)) as peaks:
        child, told = elsewhere(server.address, token, log_keys, many)
        while child.is_alive() and told.empty():
            for path in PAGES:
                pages[path] += page_ms(sender, path, 0.5)
        result = told.get()
        child.join()
    together_mb_s = throughput(result, cameras * mib * MIB)
    return rows(result, cameras, alone_mb_s, together_mb_s, [each + others for each in peaks], pages)


def rows(
    told: Told,
    cameras: int,
    alone_mb_s: float,
    together_mb_s: float,
    memory: list[int],
    pages: dict[str, list[float]],
) -> list[Row]:
    third = len(memory) // 3
    middle, last = max(memory[third : 2 * third], default=1), max(memory[2 * third :], default=1)
    took_s = told.checked_s - told.began_s
    found = [
        Row(
            f"{cameras} cameras docked at once",
            f"{told.checked} of {told.files} files checked, {told.left} left on cameras",
            "every file checked and erased",
            told.checked == told.files and told.left == 0,
            f"{took_s:.0f} s until the last receipt was checked, {told.sent_s - told.began_s:.0f} s until the last byte "
            f"was there; problems: {'; '.join(told.problems[:3]) or 'none'}",
        ),
        Row(
            f"speed of {cameras} cameras together, beside one alone",
            f"{together_mb_s / alone_mb_s:.2f} times",
            f"at least {TARGET_RATIO}",
            together_mb_s >= TARGET_RATIO * alone_mb_s,
            f"{together_mb_s:.0f} MB/s together, {alone_mb_s:.0f} MB/s alone; docks and server share the cores",
        ),
        Row(
            "memory of the web processes meanwhile",
            f"{max(memory) / 1e6:.0f} MB, last third {last / middle:.2f} of the middle",
            f"under {TARGET_BYTES / 1e6:.0f} MB and flat",
            max(memory) < TARGET_BYTES and last <= FLAT_RATIO * middle,
            f"{len(memory)} looks, ten a second",
        ),
    ]
    for path, took_ms in pages.items():
        slow = p95(took_ms)
        found.append(
            Row(
                f"{path} meanwhile",
                f"{slow:.0f} ms at p95",
                f"under {TARGET_MS:.0f} ms",
                slow < TARGET_MS,
                f"{len(took_ms)} asked, median {median(took_ms):.0f} ms",
            )
        )
    return found


def run(cameras: int = CAMERAS, mib: int = FOOTAGE_MIB) -> list[Row]:
    """Measure on a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        scratch, data = Path(folder), Path(folder) / "data"
        made = plainview("init", "--log-name", "bench.example", data=data)
        assert made.returncode == 0, made.stderr
        add_people(data, "investigator")
        token = json.loads(plainview("docks", "add", "Bench", "--json", data=data).stdout)["token"]
        with serving(data) as server:
            sender = Sender(server.address, role="investigator")
            sender.ask("GET", "/recordings")
            return measure(server, token, sender, scratch, cameras, mib)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=CAMERAS)
    parser.add_argument("--mib", type=int, default=FOOTAGE_MIB)
    given = parser.parse_args()
    for row in run(given.cameras, given.mib):
        print(f"{row.name}: {row.measured} ({row.target}) {row.is_met}\n    {row.detail}")
