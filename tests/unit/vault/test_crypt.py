import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.vault.crypt import ChunkCipher, new_object_id, new_object_key
from plainview.vault.errors import AlteredObjectError

OBJECT_ID = "7d0f2c64a15b4e0fb3c1a9d2e4f60718"
KEY = bytes(range(32))


def seal(plaintext, *, number=0, is_last=True, object_id=OBJECT_ID, key=KEY):
    out = bytearray(len(plaintext) + 16)
    length = ChunkCipher(object_id, key).seal_into(number, plaintext, memoryview(out), is_last=is_last)
    assert length == len(out)
    return bytes(out)


def unseal(sealed, *, number=0, is_last=True, object_id=OBJECT_ID, key=KEY):
    out = bytearray(len(sealed))
    length = ChunkCipher(object_id, key).open_into(number, sealed, memoryview(out), is_last=is_last)
    return bytes(out[:length])


@given(plaintext=st.binary(max_size=300), number=st.integers(0, 2**88 - 1), is_last=st.booleans())
@settings(max_examples=50, deadline=None)
def test_a_chunk_opens_as_it_was_sealed(plaintext, number, is_last):
    sealed = seal(plaintext, number=number, is_last=is_last)
    assert unseal(sealed, number=number, is_last=is_last) == plaintext


def test_the_bytes_are_those_the_format_describes():
    # Computed from the format's text, not with the code under test.
    header = b"PLVWOBJ\x01" + bytes.fromhex("0010000000000000") + bytes.fromhex(OBJECT_ID)
    nonce = bytes(10) + b"\x05" + b"\x01"
    assert seal(b"footage", number=5, is_last=True) == AESGCM(KEY).encrypt(nonce, b"footage", header)


@given(position=st.integers(0, 8 * (7 + 16) - 1))
@settings(deadline=None)
def test_any_flipped_bit_is_refused(position):
    sealed = bytearray(seal(b"footage"))
    sealed[position // 8] ^= 1 << position % 8
    with pytest.raises(AlteredObjectError) as caught:
        unseal(bytes(sealed))
    assert (caught.value.object_id, caught.value.chunk) == (OBJECT_ID, 0)


@pytest.mark.parametrize(
    "other", [{"number": 1}, {"is_last": False}, {"object_id": "00" * 16}, {"key": bytes(32)}]
)
def test_a_chunk_out_of_its_place_is_refused(other):
    with pytest.raises(AlteredObjectError):
        unseal(seal(b"footage"), **other)


def test_ids_and_keys_are_random_and_long_enough():
    assert len({new_object_id() for _ in range(100)}) == 100
    assert {len(new_object_id()), len(new_object_key())} == {32}
    assert new_object_key() != new_object_key()
