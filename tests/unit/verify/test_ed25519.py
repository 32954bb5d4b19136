import importlib.util
import sys

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.verify import ed25519
from plainview.verify.ed25519 import FIELD, ORDER, SMALL_ORDER_Y, verify_ed25519
from plainview.verify.errors import SignatureError

# RFC 8032 section 7.1, tests 1 to 3 and SHA(abc): public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


def checkers():
    """Give the public function and both of its halves behind the same encoding checks."""

    def behind_checks(half):
        def check(public_key, signature, message):
            ed25519._check_encodings(public_key, signature)
            half(public_key, signature, message)

        return check

    return [
        verify_ed25519,
        behind_checks(ed25519._verify_alone),
        behind_checks(ed25519._verify_by_openssl),
    ]


def accepts(check, public_key, signature, message):
    try:
        check(public_key, signature, message)
    except SignatureError:
        return False
    return True


def agreed(public_key, signature, message):
    answers = {accepts(check, public_key, signature, message) for check in checkers()}
    assert len(answers) == 1, "the two implementations disagree"
    return answers.pop()


@pytest.fixture(scope="module")
def signer():
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def public_key(signer):
    return signer.public_key().public_bytes_raw()


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_are_accepted(key, message, signature):
    assert agreed(bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_with_another_message_are_refused(key, message, signature):
    assert not agreed(bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message) + b"\0")


@settings(max_examples=30, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=64), bit=st.integers(0, 511))
def test_both_implementations_accept_a_signature_and_refuse_it_with_one_bit_flipped(seed, message, bit):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert agreed(public, signature, message)
    flipped = (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(64, "little")
    assert not agreed(public, flipped, message)


@settings(max_examples=40, deadline=None)
@given(public=st.binary(min_size=32, max_size=32), signature=st.binary(min_size=64, max_size=64))
def test_both_implementations_refuse_random_bytes(public, signature):
    assert not agreed(public, signature, b"message")


def test_a_second_half_raised_by_the_group_order_is_refused(signer, public_key):
    signature = signer.sign(b"m")
    s = int.from_bytes(signature[32:], "little") + ORDER
    assert not agreed(public_key, signature[:32] + s.to_bytes(32, "little"), b"m")


@pytest.mark.parametrize("y", sorted(SMALL_ORDER_Y))
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_of_small_order_is_refused(y, sign):
    # With s = 0 and R the neutral point such a signature fits about every eighth message, whoever wrote it.
    forged = (1).to_bytes(32, "little") + bytes(32)
    for message in range(16):
        assert not agreed((y | sign << 255).to_bytes(32, "little"), forged, bytes([message]))


@pytest.mark.parametrize("y", [FIELD, FIELD + 1, FIELD + 18, 2**255 - 1])
def test_a_key_in_a_second_spelling_is_refused(y):
    with pytest.raises(SignatureError, match="canonical"):
        verify_ed25519(y.to_bytes(32, "little"), bytes(64), b"")


@pytest.mark.parametrize("r", [0, 1, FIELD - 1, FIELD, FIELD + 1, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 1, ORDER - 1])
def test_special_values_of_both_halves_are_refused(public_key, r, s):
    assert not agreed(public_key, r.to_bytes(32, "little") + s.to_bytes(32, "little"), b"m")


def test_a_key_that_is_no_point_on_the_curve_is_refused():
    with pytest.raises(SignatureError, match="not a point"):
        ed25519._verify_alone((2).to_bytes(32, "little"), bytes(64), b"")
    assert not agreed((2).to_bytes(32, "little"), bytes(64), b"")


@pytest.mark.parametrize(
    ("key_bytes", "signature_bytes"), [(31, 64), (33, 64), (0, 64), (32, 63), (32, 65), (32, 0)]
)
def test_another_length_is_refused(public_key, key_bytes, signature_bytes):
    with pytest.raises(SignatureError, match=r"expected (32|64) bytes"):
        verify_ed25519((public_key + b"\0")[:key_bytes], bytes(signature_bytes), b"")


def test_without_cryptography_the_check_goes_on_alone(monkeypatch, signer, public_key):
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    spec = importlib.util.spec_from_file_location("ed25519_alone", ed25519.__file__)
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    assert not alone.HAS_CRYPTOGRAPHY
    alone.verify_ed25519(public_key, signer.sign(b"m"), b"m")
    with pytest.raises(SignatureError):
        alone.verify_ed25519(public_key, signer.sign(b"m"), b"n")


def test_an_openssl_without_ed25519_is_not_relied_on(monkeypatch, signer, public_key):
    class Refusing:
        @staticmethod
        def from_public_bytes(_data):
            raise UnsupportedAlgorithm("not in this FIPS module")

    monkeypatch.setattr(ed25519, "Ed25519PublicKey", Refusing)
    verify_ed25519(public_key, signer.sign(b"m"), b"m")
    with pytest.raises(SignatureError):
        verify_ed25519(public_key, signer.sign(b"m"), b"n")
