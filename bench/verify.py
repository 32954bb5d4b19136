"""How fast the checker is: leaves parsed and hashed, signatures, and a package's bytes."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from rows import Row

from plainview.formats.leaf import parse_leaf
from plainview.formats.merkle import leaf_hash
from plainview.verify import ed25519
from plainview.verify.package import check_package
from simulators.package_builder import Signer, TinyLog, build_package, receive

RUNS = 5
LEAVES = 20_000
CORES = 2
PACKAGE_BYTES = 256 << 20
TARGET = 100_000
DETAIL = f"median of {RUNS}, {LEAVES:,} leaves a core, each parsed and hashed"


def hash_leaves(entries: list[bytes]) -> int:
    """Parse and hash, as a check of a log or of disclosed leaves does."""
    for entry in entries:
        parse_leaf(entry)
        leaf_hash(entry)
    return len(entries)


def median_s(work: Callable[[], object], runs: int = RUNS) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def leaf_rows() -> list[Row]:
    log = TinyLog()
    receive(log, "R-26-00004217-I", b"footage")
    for index in range(1, 1000):
        receive(log, f"R-26-{index:08d}", bytes([index % 251]))
    entries = (log.entries * LEAVES)[:LEAVES]
    one = LEAVES / median_s(lambda: hash_leaves(entries))
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(hash_leaves, [entries[:10]] * CORES))
        two = CORES * LEAVES / median_s(lambda: list(pool.map(hash_leaves, [entries] * CORES)))
    return [
        Row("verify: leaves parsed and hashed, one core", f"{one:,.0f} leaves/s", detail=DETAIL),
        Row(
            "verify: leaves parsed and hashed, two cores",
            f"{two:,.0f} leaves/s",
            f"at least {TARGET:,} leaves/s",
            two >= TARGET,
            DETAIL,
        ),
    ]


def signature_rows() -> list[Row]:
    signer = Signer("bench.example", 1)
    signature = signer.sign("text").signature
    public_key = signer.key.public_key
    by_openssl_s = median_s(lambda: ed25519.verify_ed25519(public_key, signature, b"text"), 20)
    ed25519.HAS_CRYPTOGRAPHY = False
    alone_s = median_s(lambda: ed25519.verify_ed25519(public_key, signature, b"text"), 20)
    return [
        Row(
            "verify: one signature, standard library only", f"{alone_s * 1000:.1f} ms", detail="median of 20"
        ),
        Row("verify: one signature, cryptography", f"{by_openssl_s * 1000:.2f} ms", detail="median of 20"),
    ]


def package_rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        built = build_package(Path(scratch) / "package", big_bytes=PACKAGE_BYTES)
        seconds = median_s(lambda: check_package(str(built.folder), keys=[built.key]), 3)
    return [
        Row(
            "verify: a package of 256 MiB", f"{PACKAGE_BYTES / seconds / 1e6:,.0f} MB/s", detail="median of 3"
        )
    ]


def run() -> list[Row]:
    """Return one row a figure."""
    return [*leaf_rows(), *package_rows(), *signature_rows()]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name:<52} {row.measured:<18} {row.target}")
