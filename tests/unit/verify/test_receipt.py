import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.policy import TrustPolicy
from plainview.formats.proof import LogProof
from plainview.formats.receipt import Receipt, parse_receipt
from plainview.verify.errors import SignerUnknownError, VerificationError
from plainview.verify.receipt import read_receipt, verify_leaf, verify_receipt, verify_unsigned
from simulators.package_builder import Signer, TinyLog, receive


@pytest.fixture(scope="module")
def log():
    log = TinyLog()
    log.append("log.started", log.origin, {})
    receive(log, "R-26-00004217-I", b"footage")
    return log


@pytest.fixture(scope="module")
def policy(log):
    return TrustPolicy((log.signer.key,))


def test_a_receipt_is_accepted_under_the_logs_key(log, policy):
    checkpoint = verify_receipt(parse_receipt(log.receipt(1)), policy)
    assert (checkpoint.origin, checkpoint.size) == (log.origin, 3)


def test_a_receipt_under_another_key_has_an_unknown_signer(log):
    with pytest.raises(SignerUnknownError):
        verify_receipt(parse_receipt(log.receipt(1)), TrustPolicy((Signer(log.origin, 2).key,)))


def test_a_leaf_with_the_proof_of_its_neighbour_is_refused(log, policy):
    with pytest.raises(VerificationError):
        verify_leaf(log.entries[1], 1, log.proof(2), policy)


def test_a_leaf_with_another_leafs_path_is_refused(log, policy):
    other = log.proof(2)
    with pytest.raises(VerificationError):
        verify_leaf(log.entries[1], 1, LogProof(1, other.path, other.note), policy)


def test_parts_that_fit_are_accepted_whoever_signed_them(log):
    assert verify_unsigned(parse_receipt(log.receipt(1))).size == 3


def test_a_receipt_whose_note_is_no_checkpoint_is_refused(log):
    receipt = parse_receipt(log.receipt(1))
    broken = Receipt(
        receipt.entry, receipt.leaf, LogProof(1, receipt.proof.path, "hello\n\n\u2014 a YWJjZGVmZw==\n")
    )
    with pytest.raises(VerificationError):
        verify_unsigned(broken)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_nothing_but_verification_error_comes_out_of_random_bytes(data):
    with pytest.raises(VerificationError):
        read_receipt(data)


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_receipt_with_one_bit_flipped_is_refused_or_says_the_same(log, policy, at, bit):
    data = bytearray(log.receipt(1))
    data[at % len(data)] ^= 1 << bit
    try:
        receipt = read_receipt(bytes(data))
        verify_receipt(receipt, policy)
    except VerificationError:
        return
    pytest.fail("a flipped bit was accepted")
