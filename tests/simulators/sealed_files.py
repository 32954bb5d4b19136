"""Seal what a simulated camera recorded to a vault's key, as a camera keeps it."""

import itertools

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from plainview.formats.sealed_file import (
    SealedHeader,
    format_sealed_header,
    piece_context,
    piece_nonce,
    seal_info,
)

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
KEY = bytes(range(32))


def seal(pieces, *, seal_to, recording, kind="footage", key=KEY, **header):
    """Return a sealed file that holds these pieces; `header` replaces what its header says."""
    said = {
        "kind": kind,
        "camera": recording.camera,
        "stream": recording.stream,
        "counter": recording.start.counter,
        "purpose": recording.start.purpose,
        "sealed_to": seal_to,
    } | header
    info = seal_info(said["kind"], said["camera"], said["stream"])
    sealed_key = SUITE.encrypt(key, X25519PublicKey.from_public_bytes(seal_to), info)
    start = format_sealed_header(SealedHeader(**said, sealed_key=sealed_key))
    cipher, context = AESGCM(key[:32]), piece_context(start)
    body = b""
    for number, piece in enumerate(pieces):
        data = cipher.encrypt(piece_nonce(number), piece, context)
        body += len(data).to_bytes(4, "big") + data
    return start + body


def sealed_footage(recording, *, seal_to, **more):
    """Return the footage as it lies on the camera: one piece a fragment, one for each box."""
    edges = sorted(
        {0, len(recording.footage), *(e for span in (*recording.spans, *recording.boxes) for e in span)}
    )
    pieces = [recording.footage[a:b] for a, b in itertools.pairwise(edges)]
    return seal(pieces, seal_to=seal_to, recording=recording, **more)


def sealed_journal(recording, *, seal_to, lines=None, **more):
    """Return the journal as it lies on the camera: one line a piece."""
    pieces = recording.lines if lines is None else lines
    return seal(pieces, seal_to=seal_to, recording=recording, kind="journal", **more)
