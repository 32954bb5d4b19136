"""What a camera sealed, opened again: all of it, as far as a loss of power left it, or an error that says what is wrong."""

import io
import itertools

import pytest

from plainview.vault import unseal
from plainview.vault.intake_keys import intake_public
from plainview.vault.unseal import Unsealed, UnsealError
from simulators.journals import SigningCamera
from simulators.memory_store import MemoryKeys
from simulators.sealed_files import seal


@pytest.fixture(scope="module")
def keys():
    return MemoryKeys()


@pytest.fixture(scope="module")
def recording():
    return SigningCamera().record(fragments=3, events=((1, "marker"),))


def footage_pieces(recording):
    """Return the footage as a camera seals it: what stands in front, then each fragment and each box."""
    cuts = sorted(
        {0, len(recording.footage), *(at for span in (*recording.spans, *recording.boxes) for at in span)}
    )
    return [recording.footage[begin:end] for begin, end in itertools.pairwise(cuts)]


@pytest.fixture
def sealed(keys, recording):
    return bytearray(seal(footage_pieces(recording), seal_to=intake_public(keys), recording=recording))


@pytest.fixture
def places(sealed, recording):
    """Where each piece begins, its length in front."""
    at = 12 + int.from_bytes(sealed[8:12], "big")
    begins = []
    while at < len(sealed):
        begins.append(at)
        at += 4 + int.from_bytes(sealed[at : at + 4], "big")
    return begins


def opened(sealed, keys):
    file = Unsealed(io.BytesIO(bytes(sealed)), keys)
    return io.BufferedReader(file).read(), file


def test_everything_a_camera_sealed_is_read_again(sealed, keys, recording):
    data, file = opened(sealed, keys)
    assert data == recording.footage
    assert (file.pieces, file.torn_bytes) == (len(footage_pieces(recording)), 0)
    assert file.readable()


def test_a_journal_is_read_line_by_line(keys, recording):
    data = seal(recording.lines, kind="journal", seal_to=intake_public(keys), recording=recording)
    assert list(Unsealed(io.BytesIO(data), keys).all_pieces()) == list(recording.lines)


@pytest.mark.parametrize("left", [1, 3, 4, 5, 30])
def test_the_beginning_of_a_piece_is_left_out(sealed, places, keys, recording, left):
    del sealed[places[-1] + left :]
    data, file = opened(sealed, keys)
    assert data == b"".join(footage_pieces(recording)[:-1])
    assert file.torn_bytes == left


def test_a_last_piece_of_zeros_is_left_out(sealed, places, keys, recording):
    sealed[places[-1] + 4 :] = bytes(len(sealed) - places[-1] - 4)
    data, file = opened(sealed, keys)
    assert data == b"".join(footage_pieces(recording)[:-1])
    assert file.torn_bytes == len(sealed) - places[-1]


def test_an_end_that_is_all_zeros_is_left_out(sealed, places, keys, recording):
    sealed[places[-1] :] = bytes(len(sealed) - places[-1])
    data, file = opened(sealed, keys)
    assert data == b"".join(footage_pieces(recording)[:-1])
    assert file.torn_bytes == len(sealed) - places[-1]
    assert file.next_piece() is None


def test_a_garbled_fragment_before_its_own_box_is_what_a_loss_of_power_leaves(
    sealed, places, keys, recording
):
    last = next(number for number, piece in enumerate(footage_pieces(recording)) if b'"seq":4' in piece) - 1
    del sealed[places[last + 2] :]
    sealed[places[last] + 100] ^= 1
    data, _ = opened(sealed, keys)
    assert data == b"".join(footage_pieces(recording)[:last])


def test_a_piece_that_was_altered_is_named(sealed, places, keys):
    sealed[places[1] + 20] ^= 1
    with pytest.raises(UnsealError, match="Piece 1, counted from 0") as caught:
        opened(sealed, keys)
    assert (caught.value.reason, caught.value.piece) == ("altered_piece", 1)


def test_a_line_of_a_journal_that_was_altered_is_named(keys, recording):
    sealed = bytearray(
        seal(recording.lines, kind="journal", seal_to=intake_public(keys), recording=recording)
    )
    sealed[12 + int.from_bytes(sealed[8:12], "big") + 50] ^= 1
    with pytest.raises(UnsealError, match="Piece 0, counted from 0"):
        list(Unsealed(io.BytesIO(bytes(sealed)), keys).all_pieces())


def test_a_line_with_another_behind_it_was_altered(keys, recording):
    sealed = bytearray(
        seal(recording.lines, kind="journal", seal_to=intake_public(keys), recording=recording)
    )
    start = 12 + int.from_bytes(sealed[8:12], "big")
    second = start + 4 + int.from_bytes(sealed[start : start + 4], "big")
    sealed[second + 50] ^= 1
    with pytest.raises(UnsealError, match="Piece 1, counted from 0"):
        list(Unsealed(io.BytesIO(bytes(sealed)), keys).all_pieces())


def test_much_that_does_not_open_is_no_loss_of_power(sealed, places, keys, monkeypatch):
    monkeypatch.setattr(unseal, "UNSYNCED_LIMIT_BYTES", 1000)
    for place in places[1:]:
        sealed[place + 20] ^= 1
    with pytest.raises(UnsealError, match="Piece 1, counted from 0"):
        opened(sealed, keys)


def test_pieces_that_changed_places_do_not_open(keys, recording):
    pieces = footage_pieces(recording)
    sealed = seal(pieces, seal_to=intake_public(keys), recording=recording)
    start = 12 + int.from_bytes(sealed[8:12], "big")
    first = start + 4 + int.from_bytes(sealed[start : start + 4], "big")
    second = first + 4 + int.from_bytes(sealed[first : first + 4], "big")
    swapped = sealed[:start] + sealed[first:second] + sealed[start:first] + sealed[second:]
    with pytest.raises(UnsealError, match="does not fit"):
        opened(swapped, keys)


def test_an_absurd_length_with_much_behind_it_is_no_loss_of_power(sealed, places, keys, monkeypatch):
    monkeypatch.setattr(unseal, "UNSYNCED_LIMIT_BYTES", 1000)
    sealed[places[1] : places[1] + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(UnsealError, match="it says it has 4294967295 bytes"):
        opened(sealed, keys)


@pytest.mark.parametrize("data", [b"", b"PLVWCAM\x01", bytes(100), b"PLVWCAM\x01\x00\x00\x00\x02{}"])
def test_what_no_camera_sealed_is_told_apart(keys, data):
    with pytest.raises(UnsealError) as caught:
        opened(data, keys)
    assert caught.value.reason == "not_sealed"


def test_another_vault_s_file_is_told_apart(keys, recording):
    data = seal([b"init"], seal_to=intake_public(MemoryKeys()), recording=recording)
    with pytest.raises(UnsealError, match="no key of this vault") as caught:
        opened(data, keys)
    assert caught.value.reason == "wrong_key"


def test_an_altered_header_is_told_apart(sealed, keys):
    at = sealed.index(b'"counter":1') + 10
    sealed[at : at + 1] = b"2"
    with pytest.raises(UnsealError, match="does not fit") as caught:
        opened(sealed, keys)
    assert caught.value.reason == "altered_piece"
    sealed[sealed.index(b'"sealed_key":"') + 20] ^= 1
    with pytest.raises(UnsealError) as caught:
        opened(sealed, keys)
    assert caught.value.reason in ("altered_header", "not_sealed")


def test_a_key_of_another_length_is_told_apart(keys, recording):
    data = seal([], seal_to=intake_public(keys), recording=recording, key=bytes(40))
    with pytest.raises(UnsealError, match="has 40 bytes"):
        opened(data, keys)


def test_short_reads_of_the_source_make_no_difference(sealed, keys, recording):
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7) if size >= 0 else size)

    assert io.BufferedReader(Unsealed(Slow(bytes(sealed)), keys)).read() == recording.footage
