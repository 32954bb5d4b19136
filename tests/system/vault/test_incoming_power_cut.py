"""The power goes, or a process dies, while an original arrives in pieces; its sender goes on, or tries other bytes."""

import random

import pytest

from plainview.vault.promised import PromisedHashes
from simulators.arrivals import Nonces, judge, promise_anything, promise_without_sync, small_chunks
from simulators.bad_receive import NoFileSync, NoFolderSync
from simulators.power_cut import PowerCutDisk


@pytest.fixture
def nonces(monkeypatch):
    small_chunks(monkeypatch)
    return Nonces(monkeypatch)


def violations(disk_kind, seeds, **options):
    return set().union(*(judge(disk_kind, random.Random(seed), **options) for seed in range(seeds)))


@pytest.mark.slow
def test_no_interruption_loses_what_was_acknowledged_or_uses_a_nonce_twice(nonces):
    assert violations(PowerCutDisk, 1500) == set()
    assert not nonces.used_twice()
    assert len(nonces.sealed) > 1000


def test_a_disk_without_syncs_is_caught(nonces):
    assert "acknowledged and lost" in violations(NoFileSync, 150)


def test_folders_that_are_not_synced_are_caught(nonces):
    assert "IncomingMissingError" in violations(NoFolderSync, 150)


def test_not_looking_again_after_a_power_cut_is_caught(nonces):
    assert "ReadBackError" in violations(PowerCutDisk, 300, sweep=lambda store, keys, wanted: 0)


def test_a_promise_that_is_not_synced_is_caught(nonces, monkeypatch):
    monkeypatch.setattr(PromisedHashes, "promise", promise_without_sync)
    # What was sealed has no hash that can be read: then nothing may be sealed again, and the original is lost.
    assert "IncomingDamagedError" in violations(PowerCutDisk, 300)


def test_a_promise_that_can_be_taken_back_is_caught(nonces, monkeypatch):
    monkeypatch.setattr(PromisedHashes, "promise", promise_anything)
    violations(PowerCutDisk, 100)
    assert nonces.used_twice()
