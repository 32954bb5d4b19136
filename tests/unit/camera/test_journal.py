"""Journals as a camera signs them: each line stands alone, whatever the size of the tree."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.camera.journal import Journal
from plainview.formats.capture import CaptureEvent, journal_key, parse_journal_line
from plainview.formats.checkpoint import parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.merkle import leaf_hash, tree_root
from plainview.formats.note import parse_note
from plainview.verify.inclusion import verify_inclusion
from plainview.verify.note import open_note
from simulators.power_cuts import SEVEN, start_leaf

ORIGIN = "cam.example.org/SN42/000001-9f2c41aa"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\7")
PUBLIC = PRIVATE.public_key().public_bytes_raw()


def event(seq, name="marker"):
    return CaptureEvent(seq, SEVEN, seq, 0, name, {})


def journal(lines):
    made = Journal(ORIGIN, PUBLIC, PRIVATE.sign)
    return made, [made.sign_line(event(seq) if seq else start_leaf()) for seq in range(lines)]


def test_every_line_proves_itself_in_trees_of_1_to_300_leaves():
    made, lines = journal(300)
    hashes = []
    for seq, data in enumerate(lines):
        line = parse_journal_line(data)
        hashes.append(leaf_hash(line.entry))
        checkpoint = parse_checkpoint(parse_note(line.proof.note).text)
        assert (line.proof.index, checkpoint.size, checkpoint.origin) == (seq, seq + 1, ORIGIN)
        verify_inclusion(leaf=hashes[-1], index=seq, size=seq + 1, path=line.proof.path, root=checkpoint.root)
    assert made.root == checkpoint.root == tree_root(hashes)
    assert made.size == 300


def test_a_line_is_signed_by_the_camera_under_the_journal_s_own_name():
    _, lines = journal(2)
    open_note(parse_journal_line(lines[1]).proof.note, [journal_key(ORIGIN, PUBLIC)])


@pytest.mark.parametrize("leaf", [event(1), event(3), event(2, "unheard_of")])
def test_a_leaf_that_cannot_be_next_leaves_the_journal_as_it_was(leaf):
    made, _ = journal(2)
    before = (made.size, made.root)
    with pytest.raises(FormatError):
        made.sign_line(leaf)
    assert (made.size, made.root) == before
