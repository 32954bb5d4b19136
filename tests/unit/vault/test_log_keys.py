import pytest

from plainview.formats.checkpoint import Checkpoint
from plainview.formats.note import ED25519_COSIGNATURE, NoteSignature, SignedNote, VerifierKey, format_note
from plainview.vault.log_errors import CheckpointSignatureError
from plainview.vault.log_keys import log_key, log_signer, new_log_key, open_checkpoint, sign_checkpoint
from simulators.custody_logs import KEY, ORIGIN, SIGN, key_of

CHECKPOINT = Checkpoint(ORIGIN, 5, b"r" * 32)
NOTE = sign_checkpoint(CHECKPOINT, sign=SIGN, key=KEY)


def test_a_new_key_signs_what_its_public_half_opens():
    private, key = new_log_key(ORIGIN)
    note = sign_checkpoint(CHECKPOINT, sign=log_signer(private), key=key)
    assert open_checkpoint(note, keys=[key], origin=ORIGIN) == CHECKPOINT


def test_the_public_half_is_found_again_from_the_private_one():
    private, key = new_log_key(ORIGIN)
    assert log_key(ORIGIN, private) == key


def test_two_new_keys_differ():
    assert new_log_key(ORIGIN) != new_log_key(ORIGIN)


def test_a_signer_with_another_key_is_refused_before_anybody_sees_the_note():
    other, _ = key_of(b"other")
    with pytest.raises(CheckpointSignatureError):
        sign_checkpoint(CHECKPOINT, sign=other, key=KEY)


def test_a_key_of_another_log_does_not_sign():
    sign, key = key_of(b"other", "other.example/custody/1")
    with pytest.raises(CheckpointSignatureError, match="signed only by"):
        sign_checkpoint(CHECKPOINT, sign=sign, key=key)


def test_an_altered_checkpoint_is_refused():
    with pytest.raises(CheckpointSignatureError):
        open_checkpoint(NOTE.replace("\n5\n", "\n6\n"), keys=[KEY])


def test_an_unknown_signer_is_refused():
    with pytest.raises(CheckpointSignatureError):
        open_checkpoint(NOTE, keys=[key_of(b"other")[1]])


def test_a_checkpoint_of_another_log_is_refused_where_one_is_expected():
    with pytest.raises(CheckpointSignatureError, match="expected this log"):
        open_checkpoint(NOTE, keys=[KEY], origin="other.example/custody/1")


def test_a_co_signer_alone_does_not_make_a_checkpoint():
    sign, key = key_of(b"witness", "witness.example")
    witness = VerifierKey(name=key.name, algorithm=ED25519_COSIGNATURE, public_key=key.public_key)
    text = NOTE.split("\n\n", maxsplit=1)[0] + "\n"
    signature = (7).to_bytes(8, "big") + sign(b"cosignature/v1\ntime 7\n" + text.encode())
    line = NoteSignature(name=witness.name, key_id=witness.key_id, signature=signature)
    note = format_note(SignedNote(text=text, signatures=(line,)))
    with pytest.raises(CheckpointSignatureError, match="signed only by"):
        open_checkpoint(note, keys=[KEY, witness])


def test_a_note_that_is_no_checkpoint_is_refused():
    text = "minutes of the meeting\n"
    line = NoteSignature(name=ORIGIN, key_id=KEY.key_id, signature=SIGN(text.encode()))
    with pytest.raises(CheckpointSignatureError):
        open_checkpoint(format_note(SignedNote(text=text, signatures=(line,))), keys=[KEY])
