"""What makes a camera erase, and what does not."""

import pytest

from plainview.camera.receipts import RECEIVED_ACTS, erase_stream
from plainview.camera.store_errors import NoSuchStreamError, ReceiptRefusedError, StreamOpenError
from plainview.camera.stream import begin_stream
from plainview.formats.note import ED25519
from plainview.formats.receipt import parse_receipt
from simulators.package_builder import ORIGIN, Signer, TinyLog
from simulators.power_cuts import (
    SEVEN,
    STORAGE,
    CameraModelDisk,
    add_fragment,
    new_camera,
    open_again,
    start_at,
    streams_on,
)
from simulators.vault_receipts import SmallVault

FOOTAGE, JOURNAL = "footage.sealed", "journal.sealed"


@pytest.fixture
def vault():
    return SmallVault()


@pytest.fixture
def camera(vault):
    return new_camera(CameraModelDisk(), log_keys=vault.keys)


def recorded(camera):
    writer = begin_stream(camera, purpose="recording", start=start_at(), init=b"init")
    add_fragment(writer, b"fragment")
    writer.close("button", at=SEVEN, mono_ms=1)
    return writer.stream


def erase(camera, stream, receipts):
    erase_stream(
        camera,
        stream,
        footage=parse_receipt(receipts[FOOTAGE]) if FOOTAGE in receipts else None,
        journal=parse_receipt(receipts[JOURNAL]),
    )


def refused(camera, receipts, match):
    (stream,) = streams_on(camera.disk)
    with pytest.raises(ReceiptRefusedError, match=match):
        erase(camera, stream, receipts)
    assert list(streams_on(camera.disk)) == [stream]


def test_two_good_receipts_erase_a_stream_and_no_other(camera, vault):
    first, second = recorded(camera), recorded(camera)
    erase(camera, first, vault.receipts(camera.disk, first))
    assert list(streams_on(camera.disk)) == [second]
    assert open_again(camera.disk).state.counter == 2


def test_a_shift_needs_only_the_journal_s_receipt(camera, vault):
    shift = begin_stream(camera, purpose="shift", start=start_at(trigger=""), init=None)
    shift.close("power_off", at=SEVEN, mono_ms=1)
    erase(camera, shift.stream, vault.receipts(camera.disk, shift.stream))
    assert streams_on(camera.disk) == {}


def test_a_missing_receipt_for_the_footage_erases_nothing(camera, vault):
    receipts = vault.receipts(camera.disk, recorded(camera))
    refused(camera, {JOURNAL: receipts[JOURNAL]}, "no receipt")


def test_receipts_the_wrong_way_round_erase_nothing(camera, vault):
    receipts = vault.receipts(camera.disk, recorded(camera))
    refused(camera, {FOOTAGE: receipts[JOURNAL], JOURNAL: receipts[FOOTAGE]}, "here lies")


def test_a_receipt_for_other_bytes_erases_nothing(camera, vault):
    receipts = vault.receipts(camera.disk, recorded(camera))
    refused(camera, receipts | {JOURNAL: vault.receipt(b"other")}, "here lies")


def test_a_receipt_that_does_not_say_what_was_sent_erases_nothing(camera, vault):
    receipts = vault.receipts(camera.disk, recorded(camera))
    index = vault.log.append("recording.received", "R-26-00004217-I", {"sha256": "00" * 32})
    refused(camera, receipts | {FOOTAGE: vault.log.receipt(index)}, "SHA-256 None")


@pytest.mark.parametrize(("act", "outcome"), [("upload.dropped", "ok"), ("recording.received", "error")])
def test_an_act_that_keeps_nothing_erases_nothing(camera, vault, act, outcome):
    stream = recorded(camera)
    receipts = vault.receipts(camera.disk, stream)
    digest = parse_receipt(receipts[FOOTAGE]).leaf.facts["sent_sha256"]
    lying = vault.receipt(b"", act=act, outcome=outcome, sent_sha256=digest)
    refused(camera, receipts | {FOOTAGE: lying}, "keeps no file")


@pytest.mark.parametrize("act", sorted(RECEIVED_ACTS))
def test_each_act_by_which_the_vault_keeps_a_file_erases_it(camera, vault, act):
    stream = recorded(camera)
    receipts = vault.receipts(camera.disk, stream)
    digest = parse_receipt(receipts[FOOTAGE]).leaf.facts["sent_sha256"]
    erase(camera, stream, receipts | {FOOTAGE: vault.receipt(b"", act=act, sent_sha256=digest)})
    assert streams_on(camera.disk) == {}


def test_a_receipt_of_another_log_erases_nothing(camera, vault):
    stranger = SmallVault()
    stranger.log = TinyLog(Signer(ORIGIN, 66, ED25519))
    stranger.log.append("log.started", ORIGIN, {})
    refused(camera, stranger.receipts(camera.disk, recorded(camera)), "none is known")


def test_a_camera_whose_orders_name_no_log_erases_nothing(vault):
    camera = new_camera(CameraModelDisk())
    refused(camera, vault.receipts(camera.disk, recorded(camera)), "none is known")


def test_footage_that_changed_on_the_camera_is_not_erased(camera, vault):
    stream = recorded(camera)
    receipts = vault.receipts(camera.disk, stream)
    path = f"{STORAGE}/streams/{stream}/{FOOTAGE}"
    camera.disk._written[camera.disk._find(path)[0][FOOTAGE]][-1] ^= 1
    refused(camera, receipts, "here lies")


def test_what_is_being_written_is_not_erased(camera, vault):
    writer = begin_stream(camera, purpose="recording", start=start_at(), init=b"init")
    with pytest.raises(StreamOpenError, match="still being written"):
        erase(camera, writer.stream, vault.receipts(camera.disk, writer.stream))
    writer.close("button", at=SEVEN, mono_ms=1)
    erase(camera, writer.stream, vault.receipts(camera.disk, writer.stream))


@pytest.mark.parametrize("stream", ["000009-01234567", "../streams", ""])
def test_what_is_not_here_is_not_erased(camera, vault, stream):
    receipts = vault.receipts(camera.disk, recorded(camera))
    with pytest.raises(NoSuchStreamError, match="there is no"):
        erase(camera, stream, receipts)
