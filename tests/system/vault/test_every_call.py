"""Kill receive() at every system call, or have the call fail with EIO or ENOSPC: nothing acknowledged is lost.

The same for the rotation of the master key. Each harness also runs a known-bad receive, which it must catch.
"""

import io
import random
import shutil

import pytest

from plainview.vault.errors import VaultError
from plainview.vault.fsck import (
    ExpectedObject,
    check_objects,
    collect_unused_keys,
    describe_object,
    find_orphans,
)
from plainview.vault.incoming import (
    finish_incoming,
    incoming_offset,
    open_incoming,
    sweep_incoming,
)
from plainview.vault.keys import create_key_store, open_key_store
from plainview.vault.local import LocalStore, create_local_store
from plainview.vault.receive import receive
from simulators.every_call import Interrupter, why_not

FAULTS = {"kill": "signal=SIGKILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
# Two batches of chunks, so that every thread of receive() makes its calls more than once.
DATA = random.Random(1).randbytes((2 << 20) + 3000)


@pytest.fixture(scope="module")
def interrupter(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("interrupter")
    if reason := why_not(scratch):
        pytest.skip(reason)
    made = Interrupter(scratch)
    yield made
    made.close()


@pytest.fixture
def template(tmp_path):
    """A vault with one object in it, and a source to receive."""
    folder = tmp_path / "template"
    folder.mkdir()
    store = create_local_store(folder / "objects")
    keys = create_key_store(folder / "keys", recovery_public=bytes(32))
    keys.put_secret("log/example.org/custody/1", b"signing key")
    receive(io.BytesIO(b"here before"), store=store, keys=keys)
    keys.close()
    (tmp_path / "source").write_bytes(DATA)
    return folder


def run_all(interrupter, template, run, fault, judge):
    """Yield a line for every violation; the template is copied anew for every interruption."""
    vault, source = template.with_name("vault"), template.with_name("source")
    shutil.copytree(template, vault)
    counts = interrupter.count(run, vault, source)
    assert sum(counts.values()) > 20, counts
    points = 0
    for call, times in sorted(counts.items()):
        for number in range(1, times + 1):
            shutil.rmtree(vault)
            shutil.copytree(template, vault)
            outcome = interrupter.inject(run, vault, source, call, number, FAULTS[fault])
            points += 1
            for violation in judge(vault, outcome):
                yield f"{violation} at {call} number {number}"
    assert points == sum(counts.values())


def judge_receive(vault, outcome):
    """Return what is wrong after an interrupted receive."""
    try:
        keys = open_key_store(vault / "keys")
    except VaultError as error:
        return [f"the key store does not open ({error})"]
    try:
        return [
            *judge_state(LocalStore(vault / "objects"), keys, outcome),
            *judge_retry(LocalStore(vault / "objects"), keys, outcome),
        ]
    finally:
        keys.close()


def judge_state(store, keys, outcome):
    names = set(store.names())
    if outcome.crashed:
        yield f"crashed with {outcome.crashed}"
    if not set(outcome.acknowledged) <= names:
        yield "acknowledged and lost"
    heard = outcome.acknowledged or outcome.refused or outcome.crashed
    if not (heard or outcome.was_killed or outcome.was_unheard):
        yield "said nothing"
    if outcome.refused and (len(names) > 1 or len(list(keys.object_ids())) > 1):
        yield f"refused ({outcome.refused}) and kept"
    for name in names:
        try:
            describe_object(store, keys, name)
        except VaultError:
            yield "visible and not whole"


def judge_retry(store, keys, outcome):
    store.sweep()
    try:
        listed = [describe_object(store, keys, name) for name in find_orphans(store, ())]
        again = receive(io.BytesIO(DATA), store=store, keys=keys)
    except VaultError as error:
        yield f"a retry does not converge ({error})"
        return
    collect_unused_keys(store, keys, {one.object_id for one in listed})
    expected = [
        ExpectedObject(
            one.object_id,
            one.object_bytes,
            one.object_sha256,
            one.size_bytes,
            one.sha256,
            one.chunks.root().hex(),
        )
        for one in [*listed, again]
    ]
    for finding in check_objects(store, keys, expected, deep=True):
        yield f"after a retry fsck finds {finding.kind}"


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_interrupting_receive_at_any_call_loses_nothing_acknowledged(interrupter, template, fault):
    assert list(run_all(interrupter, template, "receive", fault, judge_receive)) == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_receive_that_acknowledges_first_is_caught(interrupter, template, fault):
    found = list(run_all(interrupter, template, "acknowledged first", fault, judge_receive))
    assert any(line.startswith("acknowledged and lost") for line in found)


@pytest.mark.slow
def test_a_receive_that_writes_in_place_is_caught(interrupter, template):
    found = list(run_all(interrupter, template, "in place", "kill", judge_receive))
    assert any(line.startswith("visible and not whole") for line in found)


def judge_arrival(vault, outcome):
    """Return what is wrong after an original that was arriving in pieces was interrupted, and its sender goes on."""
    keys, store = open_key_store(vault / "keys"), LocalStore(vault / "objects")
    try:
        if outcome.crashed:
            yield f"crashed with {outcome.crashed}"
        words = [line.split() for line in outcome.acknowledged]
        object_id, last = words[-1] if words else (None, None)
        store.sweep()
        sweep_incoming(store, keys, {object_id} - {None})
        if object_id is None:
            if len(list(store.names())) != 1:
                yield "an object that nobody heard of"
        elif last != "received":
            if object_id not in store.names() and incoming_offset(store, object_id) < int(last):
                yield "acknowledged and lost"
            go_on(store, keys, object_id)
        if object_id is not None and describe_object(store, keys, object_id).size_bytes != len(DATA):
            yield "received as something else"
        if list((store.root / "incoming").glob("*")) or keys.secret_names("incoming/"):
            yield "something stays"
    except VaultError as error:
        yield f"cannot be gone on with ({error})"
    finally:
        keys.close()


def go_on(store, keys, object_id):
    if object_id not in store.names():
        with open_incoming(store, keys, object_id) as arriving:
            offset = arriving.offset_bytes
            arriving.append(io.BytesIO(DATA[offset:]).read, offset_bytes=offset)
    finish_incoming(store, keys, object_id)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_interrupting_an_arrival_at_any_call_loses_nothing_acknowledged(interrupter, template, fault):
    assert list(run_all(interrupter, template, "arrive", fault, judge_arrival)) == []


def judge_rotation(vault, outcome):
    before = open_key_store(vault.with_name("template") / "keys")
    try:
        keys = open_key_store(vault / "keys")
    except VaultError as error:
        before.close()
        return [f"no master key opens the key store ({error})"]
    try:
        if outcome.crashed:
            return [f"crashed with {outcome.crashed}"]
        if keys.object_keys() != before.object_keys():
            return ["keys differ"]
        name = "log/example.org/custody/1"
        return [] if keys.secret(name) == before.secret(name) else ["a secret differs"]
    except VaultError as error:
        return [f"not everything opens ({error})"]
    finally:
        keys.close()
        before.close()


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_interrupting_a_rotation_at_any_call_leaves_a_master_key_that_opens_everything(
    interrupter, template, fault
):
    assert list(run_all(interrupter, template, "rotate", fault, judge_rotation)) == []
