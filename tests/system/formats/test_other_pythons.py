"""Every format is read and written again, byte for byte, by each Python that may run verify.py."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import plainview
from simulators.pythons import find_python
from vectors.make_format_examples import example_files

SOURCE = Path(plainview.__file__).parents[1]
SCRIPT = r"""
import importlib, pathlib, sys
source, files = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(source))
for package in ("formats", "verify"):
    for path in sorted((source / "plainview" / package).glob("*.py")):
        importlib.import_module("plainview.%s.%s" % (package, path.stem))
from plainview.formats import chunks, leaf, note, object_header, package, policy, proof, receipt, recovery

def text(parse, write):
    return lambda data: write(parse(data.decode("utf-8"))).encode("utf-8")

def again(parse, write):
    return lambda data: write(parse(data))

def lines(data):
    return b"".join(again(package.parse_disclosed_leaf, package.format_disclosed_leaf)(line) + b"\n" for line in data.splitlines())

manifest = again(package.parse_manifest, package.format_manifest)
for name, round_trip in {
    "leaf.json": again(leaf.parse_leaf, leaf.format_leaf),
    "checkpoint": text(note.parse_note, note.format_note),
    "log.policy": text(policy.parse_policy, policy.format_policy),
    "1.tlog-proof": text(proof.parse_proof, proof.format_proof),
    "receipt.json": again(receipt.parse_receipt, receipt.format_receipt),
    "chunks.json": again(chunks.parse_chunks, chunks.format_chunks),
    "times.json": again(chunks.parse_chunk_times, chunks.format_chunk_times),
    "recovery-key.json": again(recovery.parse_recovery_key, recovery.format_recovery_key),
    "key-escrow.json": again(recovery.parse_escrow, recovery.format_escrow),
    "backup.json": again(recovery.parse_backup_facts, recovery.format_backup_facts),
    "package/package.json": again(package.parse_package, package.format_package),
    "package/manifest-sha256.txt": manifest,
    "package/tagmanifest-sha256.txt": manifest,
    "package/proof/leaves.jsonl": lines,
}.items():
    data = (files / name).read_bytes()
    assert round_trip(data) == data, name
    print(name)
"""


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.12", "3.13"])
def test_every_format_reads_and_writes_the_same_on(version: str, tmp_path: Path) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"NOT TRIED: no Python {version} here; name one in PLAINVIEW_PYTHONS")
    for name, data in example_files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-W", "error", "-c", SCRIPT, str(SOURCE), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ.get("PATH", "")},
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 14
