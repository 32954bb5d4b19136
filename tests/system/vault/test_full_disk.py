"""A disk of three megabytes: what does not fit is refused, nothing of it stays, and what fits is received."""

import contextlib
import io
import random
import subprocess

import pytest

from plainview.vault.errors import KeyStoreFullError, StoreFullError
from plainview.vault.fsck import describe_object
from plainview.vault.keys import create_key_store
from plainview.vault.local import create_local_store
from plainview.vault.receive import receive

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small disk could be mounted ({mounted.stderr.strip()}): a FULL DISK was not tried")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_an_original_that_does_not_fit_is_refused_and_the_next_one_is_received(small_disk):
    store = create_local_store(small_disk / "objects")
    keys = create_key_store(small_disk / "keys", recovery_public=bytes(32))
    with pytest.raises(StoreFullError, match="Free space"):
        receive(io.BytesIO(random.Random(1).randbytes(5 * MIB)), store=store, keys=keys)
    assert list(store.names()) == list(keys.object_ids()) == []
    assert store.sweep() == 0
    got = receive(io.BytesIO(random.Random(2).randbytes(2 * MIB)), store=store, keys=keys)
    assert describe_object(store, keys, got.object_id) == got
    keys.close()


def test_a_key_store_without_space_refuses_and_keeps_what_it_has(small_disk):
    keys = create_key_store(small_disk / "keys", recovery_public=bytes(32))
    keys.put_object_key("01" * 16, bytes(32))
    with (small_disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    with pytest.raises(KeyStoreFullError):
        keys.rotate_master()
    assert keys.object_key("01" * 16) == bytes(32)
    (small_disk / "filler").unlink()
    keys.rotate_master()
    assert keys.object_key("01" * 16) == bytes(32)
    keys.close()
