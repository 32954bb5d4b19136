"""Stop a rotation of the master key before any of its own calls: one master key still opens everything.

test_every_call does the same from outside, with SQLite's calls; this needs no strace.
"""

import contextlib
import os
from pathlib import Path

import pytest

from plainview.vault.keys import create_key_store, open_key_store

ONE, TWO = "01" * 16, "02" * 16
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
RECOVERY_PUBLIC = bytes(range(32))
WHOLE = ({ONE: KEY, TWO: OTHER_KEY}, b"signing key", RECOVERY_PUBLIC)


@pytest.fixture
def folder(tmp_path):
    keys = create_key_store(tmp_path / "keys", recovery_public=RECOVERY_PUBLIC)
    keys.put_object_keys({ONE: KEY, TWO: OTHER_KEY})
    keys.put_secret("log/example.org/custody/1", b"signing key")
    keys.close()
    return tmp_path / "keys"


def everything(folder):
    with contextlib.closing(open_key_store(folder)) as keys:
        return keys.object_keys(), keys.secret("log/example.org/custody/1"), keys.recovery_public


class PowerCut(BaseException):
    """The power goes."""


ROTATION_CALLS = ["unlink", "open", "write", "fsync", "close", "replace"]


def interrupt(monkeypatch, call, number):
    """Cut the power at the number-th time the rotation makes a call, counted from 1."""
    calls = 0
    target = Path if call in {"unlink", "replace"} else os
    original = getattr(target, call)

    def count(*args, **more):
        nonlocal calls
        calls += 1
        if calls >= number:
            raise PowerCut
        return original(*args, **more)

    monkeypatch.setattr(target, call, count)


@pytest.mark.parametrize("call", ROTATION_CALLS)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_rotation_interrupted_anywhere_leaves_a_master_that_opens_everything(folder, call, number):
    store = open_key_store(folder)
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, call, number)
        with contextlib.suppress(PowerCut):
            store.rotate_master()
    store._database.close()
    assert everything(folder) == WHOLE
    assert sorted(path.name for path in folder.iterdir()) == ["keys.sqlite", "master.key"]
