"""The power goes at any call the store makes; whatever of the unsynced reached the disk, nothing acknowledged is lost."""

import io
import random
from pathlib import Path

import pytest

from plainview.vault.errors import VaultError
from plainview.vault.fsck import describe_object
from plainview.vault.local import LocalStore
from plainview.vault.receive import receive
from simulators.bad_receive import LinkBeforeSync, NoFileSync, NoFolderSync, NoRootSync
from simulators.memory_store import MemoryKeys
from simulators.power_cut import PowerCut, PowerCutDisk

ROOT = Path("/disk")


def put(store, seeded, acknowledged):
    """Write an object whose bytes follow from its name, as the store alone promises to keep them."""
    name = f"{seeded.randrange(3):02x}{seeded.getrandbits(120):030x}"
    data = content(name)
    with store.create(name) as writer:
        writer.write(data[: len(data) // 2])
        writer.write(data[len(data) // 2 :])
        writer.commit()
    acknowledged.append(name)


def content(name):
    seeded = random.Random(name)
    return seeded.randbytes(seeded.randrange(4000))


def violations_of_the_store(disk, acknowledged):
    store = LocalStore(ROOT, files=disk)
    store.sweep()
    names = set(store.names())
    found = {"acknowledged but missing" for name in acknowledged if name not in names}
    for name in names:
        if store.read_range(name, 0, 10_000) != content(name):
            found.add("visible with other bytes")
    return found


def run_store(disk_kind, seed):
    """Write six objects with the process killed at one moment and the power cut at a later one."""
    seeded = random.Random(seed)
    disk, acknowledged = disk_kind(), []
    for cut_after in (seeded.randrange(1, 40), seeded.randrange(1, 60)):
        disk.cut_at = disk.calls + cut_after
        try:
            store = LocalStore(ROOT, files=disk)
            store.sweep()
            for _ in range(6):
                put(store, seeded, acknowledged)
        except PowerCut:
            disk.killed()
    return violations_of_the_store(disk.after_cut(seeded), acknowledged)


def test_no_power_cut_loses_what_the_store_committed():
    found = [run_store(PowerCutDisk, seed) for seed in range(3000)]
    assert set().union(*found) == set()


@pytest.mark.parametrize(
    ("disk_kind", "violation"),
    [
        (NoFileSync, "visible with other bytes"),
        (NoFolderSync, "acknowledged but missing"),
        (NoRootSync, "acknowledged but missing"),
        (LinkBeforeSync, "visible with other bytes"),
    ],
)
def test_a_store_that_leaves_out_a_sync_is_caught(disk_kind, violation):
    found = [run_store(disk_kind, seed) for seed in range(300)]
    assert violation in set().union(*found)


def run_receive(disk_kind, seed):
    seeded = random.Random(seed)
    disk, keys, acknowledged = disk_kind(), MemoryKeys(), {}
    disk.cut_at = seeded.randrange(1, 70)
    try:
        store = LocalStore(ROOT, files=disk)
        for _ in range(4):
            data = seeded.randbytes(seeded.randrange(1, 3000))
            acknowledged[receive(io.BytesIO(data), store=store, keys=keys).object_id] = data
    except PowerCut:
        disk.killed()
    after = LocalStore(ROOT, files=disk.after_cut(seeded))
    after.sweep()
    return violations_of_receive(after, keys, acknowledged)


def violations_of_receive(store, keys, acknowledged):
    names, found = set(store.names()), set()
    if not acknowledged.keys() <= names:
        found.add("acknowledged but missing")
    for name in names:
        try:
            # Also what nobody heard of: it is adopted, so it must be whole and its key there.
            describe_object(store, keys, name)
        except VaultError:
            found.add("visible and not whole")
    return found


def test_no_power_cut_loses_what_receive_acknowledged():
    found = [run_receive(PowerCutDisk, seed) for seed in range(300)]
    assert set().union(*found) == set()


def test_a_receive_without_syncs_is_caught():
    found = set().union(*(run_receive(NoFileSync, seed) for seed in range(60)))
    assert "visible and not whole" in found
