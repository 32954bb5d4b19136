"""How fast an original is received and read, beside what the machine does without us.

Needs three times the original's size free in the system's temporary folder (TMPDIR).

Usage: python bench/receive.py [--mib N]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, BinaryIO

from rows import Row

from plainview.vault.keys import KeyStore, create_key_store
from plainview.vault.local import LocalStore, create_local_store
from plainview.vault.reader import SealedReader, open_object
from plainview.vault.receive import receive

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
PIECE_BYTES = 4 * MIB
ROUNDS = 3
READS = 300

CHILD = """
import sys
from pathlib import Path
from plainview.vault.keys import open_key_store
from plainview.vault.local import LocalStore
from plainview.vault.receive import receive
sys.path.insert(0, sys.argv[2])
from memory import peak_bytes
folder = Path(sys.argv[1])
store, keys = LocalStore(folder / "objects"), open_key_store(folder / "keys")
with (folder / "source").open("rb", buffering=0) as stream:
    store.delete(receive(stream, store=store, keys=keys).object_id)
print(peak_bytes())
"""


class TimedStore(LocalStore):
    """Notes when the read-back begins: the first time anybody asks how large an object is."""

    read_back_at = 0.0

    def size(self, name: str) -> int:
        self.read_back_at = time.perf_counter()
        return super().size(name)


def run(mib: int = 2048) -> list[Row]:
    """Measure with an original of this many MiB, in the system's temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_source(folder / "source", mib)
        create_local_store(folder / "objects")
        keys = create_key_store(folder / "keys", recovery_public=bytes(32))
        store = TimedStore(folder / "objects")
        try:
            return [
                *receive_rows(folder, store, keys, mib),
                memory_row(folder, mib),
                *read_rows(folder, store, keys),
            ]
        finally:
            keys.close()


def write_source(path: Path, mib: int) -> None:
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(MIB))
        os.fsync(file.fileno())


def digests(source: Path) -> None:
    """Hash the whole in this thread and the chunks in another, as the format asks."""
    free: queue.Queue[bytearray] = queue.Queue()
    full: queue.Queue[tuple[bytearray, int] | None] = queue.Queue()

    def hash_chunks() -> None:
        while (piece := full.get()) is not None:
            buffer, length = piece
            for start in range(0, length, MIB):
                leaf = hashlib.sha256(b"\0")
                leaf.update(memoryview(buffer)[start : min(start + MIB, length)])
                leaf.digest()
            free.put(buffer)

    for _ in range(4):
        free.put(bytearray(PIECE_BYTES))
    other, whole = threading.Thread(target=hash_chunks), hashlib.sha256()
    other.start()
    with source.open("rb", buffering=0) as file:
        while length := file.readinto(buffer := free.get()):
            full.put((buffer, length))
            whole.update(memoryview(buffer)[:length])
    full.put(None)
    other.join()


def write_and_sync(source: Path) -> None:
    target, buffer = source.with_name("written"), bytearray(PIECE_BYTES)
    with source.open("rb", buffering=0) as file, target.open("wb", buffering=0) as out:
        while length := file.readinto(buffer):
            out.write(memoryview(buffer)[:length])
        os.fsync(out.fileno())


def timed_s(work: Callable[..., object], *args: object) -> float:
    start = time.perf_counter()
    work(*args)
    return time.perf_counter() - start


def receive_s(source: Path, store: TimedStore, keys: KeyStore) -> tuple[float, float]:
    """Return the seconds until the object was durable, and until it was read back."""
    start = time.perf_counter()
    with source.open("rb", buffering=0) as stream:
        got = receive(stream, store=store, keys=keys)
    end = time.perf_counter()
    store.delete(got.object_id)
    return store.read_back_at - start, end - start


def receive_rows(folder: Path, store: TimedStore, keys: KeyStore, mib: int) -> list[Row]:
    source, rounds = folder / "source", []
    for _ in range(ROUNDS):
        hashing = timed_s(digests, source)
        writing = timed_s(write_and_sync, source)
        (folder / "written").unlink()
        rounds.append((hashing, writing, *receive_s(source, store, keys)))
    before = median(max(one[0], one[1]) / one[2] for one in rounds)
    after = median(max(one[0], one[1]) / one[3] for one in rounds)
    hashing_alone = median(one[0] / one[2] for one in rounds)
    columns = [f"{median(column):.2f} s" for column in zip(*rounds, strict=True)]
    detail = (
        f"{mib} MiB, {ROUNDS} alternating rounds; medians: digests on two threads {columns[0]}, "
        f"write+fsync {columns[1]}, receive {columns[2]} before and {columns[3]} with the cold read-back"
    )
    slower = "the slower of digests and write+fsync"
    return [
        Row("receive, before read-back", f"{before:.2f} of {slower}", "at least 0.8", before >= 0.8, detail),
        Row("receive, with cold read-back", f"{after:.2f} of {slower}", "at least 0.5", after >= 0.5, detail),
        Row("receive, before read-back, beside the digests alone", f"{hashing_alone:.2f} of the digests"),
    ]


def memory_row(folder: Path, mib: int) -> Row:
    command = [sys.executable, "-c", CHILD, str(folder), str(Path(__file__).parent)]
    peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1e6
    detail = f"peak resident memory of a process that imports only vault and receives {mib} MiB"
    return Row("receive, memory", f"{peak:.0f} MB", "under 150 MB", peak < 150, detail)


def read_rows(folder: Path, store: TimedStore, keys: KeyStore) -> list[Row]:
    with (folder / "source").open("rb", buffering=0) as stream:
        got = receive(stream, store=store, keys=keys)
    span = min(got.size_bytes, 256 * MIB)
    seeded = random.Random(1)
    offsets = [seeded.randrange(max(1, span - MIB)) for _ in range(READS)]
    plain_ms, reader_ms, opened_ms = [], [], []
    with (
        (folder / "source").open("rb", buffering=0) as plain,
        open_object(store, keys, got.object_id) as reader,
    ):
        for offset in [*range(0, span, MIB), *offsets]:
            for file, times in ((plain, plain_ms), (reader, reader_ms)):
                times.append(1000 * timed_s(read_at, file, offset))
            opened_ms.append(1000 * timed_s(open_and_read, store, keys, got.object_id, offset))
    plain_median, added, opened = (median(times[-READS:]) for times in (plain_ms, reader_ms, opened_ms))
    detail = f"{READS} reads at random places, both in memory; plain file {plain_median:.2f} ms"
    added -= plain_median
    opened -= plain_median
    return [
        Row(
            "a ranged read of 1 MiB, added to a plain file",
            f"{added:.2f} ms",
            "under 1 ms",
            added < 1,
            detail,
        ),
        Row(
            "the same with opening the object",
            f"{opened:.2f} ms",
            "",
            None,
            "key, size, header and last chunk",
        ),
    ]


def read_at(file: BinaryIO | SealedReader, offset: int) -> None:
    file.seek(offset)
    file.read(MIB)


def open_and_read(store: LocalStore, keys: KeyStore, object_id: str, offset: int) -> None:
    with open_object(store, keys, object_id) as reader:
        read_at(reader, offset)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=2048, help="size of the original (default: 2048)")
    for row in run(parser.parse_args().mib):
        verdict = {True: "met", False: "NOT MET", None: ""}[row.is_met]
        print(f"{row.name:52} {row.measured:58} {row.target:13} {verdict}\n    {row.detail}")


if __name__ == "__main__":
    main()
