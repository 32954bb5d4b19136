"""Sign a journal line by line, each with its proof, in memory that grows with the logarithm of its length.

Source: RFC 6962 section 2.1.1; c2sp.org/tlog-proof; RFC 8032 for the signatures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.formats.capture import (
    JournalLine,
    format_capture_leaf,
    format_journal_line,
    journal_key,
)
from plainview.formats.checkpoint import Checkpoint, format_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.merkle import TreeHasher, leaf_hash
from plainview.formats.note import NoteSignature, SignedNote, VerifierKey, format_note
from plainview.formats.proof import LogProof

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.formats.capture import CaptureLeaf


def sign_note(text: str, *, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
    """Sign a text under the key's name.

    Args:
        text: ends in a newline.
        key: the public half of what `sign` signs with.
        sign: given bytes, returns an Ed25519 signature, 64 bytes.

    Raises:
        FormatError: a text that may not be signed.
    """
    line = NoteSignature(name=key.name, key_id=key.key_id, signature=sign(text.encode("utf-8")))
    return format_note(SignedNote(text=text, signatures=(line,)))


class Journal:
    """One journal as it is being written: its next number, and the tree over the leaves so far."""

    def __init__(self, origin: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> None:
        self.origin = origin
        self._key, self._sign = journal_key(origin, public_key), sign
        self._tree = TreeHasher()

    @property
    def size(self) -> int:
        """How many leaves there are; the next one's number."""
        return self._tree.size

    @property
    def root(self) -> bytes:
        """The root over them, 32 bytes."""
        return self._tree.root()

    def sign_line(self, leaf: CaptureLeaf) -> bytes:
        """Append a leaf and return its line, without a newline.

        Args:
            leaf: its `seq` is this journal's size.

        Raises:
            FormatError: a malformed leaf, or one of another number; nothing was appended.
        """
        if leaf.seq != self.size:
            raise FormatError("journal line", f"expected leaf number {self.size}, got {leaf.seq}")
        entry = format_capture_leaf(leaf)
        # The siblings of a tree's last leaf, upwards, are the roots of the perfect trees that stood before it.
        path = tuple(reversed(self._tree.peaks))
        grown = TreeHasher(self._tree.size, self._tree.peaks)
        grown.append(leaf_hash(entry))
        text = format_checkpoint(Checkpoint(origin=self.origin, size=grown.size, root=grown.root()))
        proof = LogProof(leaf.seq, path, sign_note(text, key=self._key, sign=self._sign))
        line = format_journal_line(JournalLine(entry=entry, leaf=leaf, proof=proof))
        self._tree = grown
        return line
