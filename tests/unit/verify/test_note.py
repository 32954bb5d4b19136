from datetime import UTC, datetime

import pytest

from plainview.formats.checkpoint import Checkpoint, format_checkpoint
from plainview.formats.note import NoteSignature, SignedNote, format_note, parse_note
from plainview.formats.policy import PolicyGroup, TrustPolicy
from plainview.verify.errors import SignatureError, SignerUnknownError, VerificationError
from plainview.verify.note import MAX_TIME_S, count_cosigners, open_note, verify_checkpoint
from simulators.package_builder import ORIGIN, Signer, cosigner

LOG = Signer(ORIGIN, 1)
BOARD, COURT, PRESS = (
    cosigner(f"{name}.example", seed) for name, seed in (("board", 20), ("court", 21), ("press", 22))
)
TEXT = format_checkpoint(Checkpoint(ORIGIN, 12, bytes(32)))
EARLY, LATE = 1_700_000_000, 1_700_000_060


def note(*signatures, text=TEXT):
    return format_note(SignedNote(text, signatures or (LOG.sign(text),)))


def policy(quorum=None, groups=(), logs=(LOG.key,)):
    named = (("board", BOARD.key), ("court", COURT.key), ("press", PRESS.key))
    return TrustPolicy(logs, named, groups, quorum)


OUTSIDE = PolicyGroup("outside", 2, ("board", "court", "press"))


def test_a_note_signed_by_a_given_key_opens():
    opened, signed = open_note(note(), [LOG.key])
    assert (opened.text, signed) == (TEXT, (LOG.key,))


def test_signatures_of_others_are_passed_over():
    both = note(Signer("other.example", 9).sign(TEXT), LOG.sign(TEXT))
    assert open_note(both, [LOG.key])[1] == (LOG.key,)


def test_a_key_that_signed_twice_counts_once():
    assert open_note(note(LOG.sign(TEXT), LOG.sign(TEXT)), [LOG.key])[1] == (LOG.key,)


def test_a_note_nobody_known_signed_names_who_did():
    with pytest.raises(SignerUnknownError, match=ORIGIN):
        open_note(note(), [Signer(ORIGIN, 2).key])


def test_a_signature_that_does_not_fit_is_refused_even_beside_a_good_one():
    forged = NoteSignature(ORIGIN, LOG.key.key_id, Signer(ORIGIN, 2).sign(TEXT).signature)
    with pytest.raises(SignatureError):
        open_note(note(LOG.sign(TEXT), forged), [LOG.key])


@pytest.mark.parametrize("text", ["", "no signature\n", "\x00\n\n\u2014 a YWJj\n", "a\n\n\u2014 a ====\n"])
def test_a_malformed_note_is_refused(text):
    with pytest.raises(VerificationError, match="signed note"):
        open_note(text, [LOG.key])


def test_a_cosignature_is_of_the_text_and_its_time():
    cosigned = BOARD.cosign(TEXT, EARLY)
    assert open_note(note(LOG.sign(TEXT), cosigned), [BOARD.key])[1] == (BOARD.key,)
    shifted = NoteSignature(cosigned.name, cosigned.key_id, LATE.to_bytes(8, "big") + cosigned.signature[8:])
    with pytest.raises(SignatureError):
        open_note(note(LOG.sign(TEXT), shifted), [BOARD.key])


@pytest.mark.parametrize(
    "data", [bytes(64), bytes(71), bytes(73), (MAX_TIME_S + 1).to_bytes(8, "big") + bytes(64)]
)
def test_a_cosignature_of_another_length_or_an_absurd_time_is_refused(data):
    with pytest.raises(SignatureError):
        open_note(note(NoteSignature("board.example", BOARD.key.key_id, data)), [BOARD.key])


def test_a_signed_checkpoint_of_the_log_is_accepted():
    assert verify_checkpoint(note(), policy()) == Checkpoint(ORIGIN, 12, bytes(32))


def test_a_key_may_not_speak_for_another_log():
    victim = format_checkpoint(Checkpoint("victim.example/custody/1", 12, bytes(32)))
    with pytest.raises(SignerUnknownError, match="may not speak"):
        verify_checkpoint(note(LOG.sign(victim), text=victim), policy())


def test_a_cosigner_alone_does_not_make_a_checkpoint():
    with pytest.raises(SignerUnknownError):
        verify_checkpoint(note(BOARD.cosign(TEXT, EARLY)), policy())


def test_a_note_that_is_no_checkpoint_is_refused():
    with pytest.raises(VerificationError, match="checkpoint"):
        verify_checkpoint(note(LOG.sign("hello\n"), text="hello\n"), policy())


@pytest.mark.parametrize(
    ("quorum", "cosigners", "is_met"),
    [
        (None, [], True),
        ("outside", [], False),
        ("outside", [BOARD], False),
        ("outside", [BOARD, BOARD], False),
        ("outside", [BOARD, PRESS], True),
        ("outside", [BOARD, COURT, PRESS], True),
        ("court", [BOARD], False),
        ("court", [COURT], True),
        ("both", [BOARD, COURT], True),
        ("both", [BOARD, PRESS], False),
    ],
)
def test_a_quorum_is_met_by_enough_different_cosigners(quorum, cosigners, is_met):
    signed = note(LOG.sign(TEXT), *(each.cosign(TEXT, EARLY) for each in cosigners))
    nested = PolicyGroup("both", 2, ("outside", "court"))
    asked = policy(quorum, (OUTSIDE, nested))
    if is_met:
        verify_checkpoint(signed, asked)
    else:
        with pytest.raises(VerificationError, match="co-signers signed"):
            verify_checkpoint(signed, asked)


def test_cosigners_are_counted_with_their_times_earliest_first():
    signed = note(LOG.sign(TEXT), COURT.cosign(TEXT, LATE), BOARD.cosign(TEXT, EARLY))
    times = tuple(datetime.fromtimestamp(time_s, UTC) for time_s in (EARLY, LATE))
    assert count_cosigners(parse_note(signed), policy()) == (2, 3, times)


def test_a_cosignature_that_does_not_fit_is_not_counted():
    forged = NoteSignature("board.example", BOARD.key.key_id, bytes(72))
    assert count_cosigners(parse_note(note(forged)), policy()) == (0, 3, ())
