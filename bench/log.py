"""How fast the custody log grows, and how fast it is audited.

Usage: python bench/log.py [--entries N]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median

from rows import Row

from plainview.formats.leaf import CustodyLeaf, format_leaf, parse_leaf
from plainview.vault.audit import audit_log
from plainview.vault.checkpoint_store import CheckpointStore
from plainview.vault.log import TiledLog
from plainview.vault.log_keys import log_signer, new_log_key

ORIGIN = "bench.example/custody/1"
BATCH = 10_000
REPEATS = 3
SMALL_APPENDS = 200


def leaf(index: int) -> bytes:
    return format_leaf(
        CustodyLeaf(
            seq=index,
            at=datetime(2026, 3, 15, tzinfo=UTC) + timedelta(seconds=index),
            act="recording.received",
            object=f"R-26-{index:08d}-K",
            actor="user:3f9c0d5b7a1e4c22",
            outcome="ok",
            why=None,
            facts={"chunk_root": sha256(b"%d" % index).hexdigest(), "size_bytes": 2_411_585 + index},
            session=None,
            detail=sha256(b"detail").hexdigest(),
        )
    )


class BenchLog:
    """A log of its own in a folder, with its key and checkpoint store."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "log"
        self.log = TiledLog(self.root, origin=ORIGIN)
        self.checkpoints = CheckpointStore(folder / "checkpoint-store.sqlite")
        private, self.key = new_log_key(ORIGIN)
        self.sign = log_signer(private)

    def append(self, entries: list[bytes]) -> None:
        self.log.append(entries, sign=self.sign, key=self.key, checkpoints=self.checkpoints)


def append_rate(log: BenchLog, entries: list[bytes]) -> float:
    """Return entries a second, each batch signed and published."""
    began = time.perf_counter()
    for start in range(0, len(entries), BATCH):
        log.append(entries[start : start + BATCH])
    return len(entries) / (time.perf_counter() - began)


def small_append_ms(log: BenchLog, first: int) -> list[float]:
    took = []
    for index in range(first, first + SMALL_APPENDS):
        entry = leaf(index)
        began = time.perf_counter()
        log.append([entry])
        took.append(1000 * (time.perf_counter() - began))
    return sorted(took)


def bare_sync_ms(folder: Path) -> float:
    """Return what one write and fsync of a small file costs here: the unit of a small append."""
    took = []
    for index in range(50):
        began = time.perf_counter()
        with (folder / f"probe-{index}").open("wb", buffering=0) as file:
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
        took.append(1000 * (time.perf_counter() - began))
    return median(took)


def audit_rate(log: BenchLog, size: int, workers: int) -> float:
    began = time.perf_counter()
    report = audit_log(log.root, keys=[log.key], workers=workers)
    took = time.perf_counter() - began
    if report.findings or report.entries != size:
        raise SystemExit(f"the log that was measured is not sound: {report.findings[:3]}")
    return size / took


def parse_rate(entries: list[bytes]) -> float:
    began = time.perf_counter()
    for entry in entries:
        parse_leaf(entry)
    return len(entries) / (time.perf_counter() - began)


def run(*, entries: int = 100_000) -> list[Row]:
    """Measure in a folder of its own and return the figures."""
    leaves = [leaf(index) for index in range(entries)]
    appended, audited, alone = [], [], []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            log = BenchLog(Path(folder))
            appended.append(append_rate(log, leaves))
            alone.append(audit_rate(log, entries, workers=1))
            audited.append(audit_rate(log, entries, workers=2))
            small = small_append_ms(log, entries)
            sync_ms = bare_sync_ms(Path(folder))
    rate, pair, one = median(appended), median(audited), median(alone)
    parsed = parse_rate(leaves[:20_000])
    about = f"median of {REPEATS}, {entries:,} leaves of {len(leaves[-1])} bytes"
    return [
        Row(
            "log: append and publish",
            f"{rate:,.0f} entries/s",
            "at least 60,000 entries/s",
            rate >= 60_000,
            f"{about}, batches of {BATCH:,}, each durable, signed and published",
        ),
        Row(
            "log: append of one entry",
            f"{median(small):.1f} ms, p95 {small[int(0.95 * len(small))]:.1f} ms",
            detail=f"{SMALL_APPENDS} appends, each durable, signed and published; "
            f"one write and fsync here costs {sync_ms:.2f} ms",
        ),
        Row(
            "log: audit on two processes",
            f"{pair:,.0f} leaves/s",
            "at least 100,000 leaves/s",
            pair >= 100_000,
            f"{about}; every entry parsed, every tile compared; processes started anew each time",
        ),
        Row(
            "log: audit on one process",
            f"{one:,.0f} leaves/s",
            detail=f"{about}; parsing a leaf alone: {parsed:,.0f} leaves/s",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the custody log.")
    parser.add_argument("--entries", type=int, default=100_000)
    for row in run(entries=parser.parse_args().entries):
        met = {True: "reached", False: "NOT REACHED", None: ""}[row.is_met]
        print(f"{row.name:32} {row.measured:28} {row.target:28} {met}\n    {row.detail}")


if __name__ == "__main__":
    sys.exit(main())
