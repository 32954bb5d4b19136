"""Open a sealed file as anybody with the vault's key could, from the page on the format alone."""

import json
from base64 import b64decode
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def open_pieces(data, private):
    """Return the pieces of a sealed file, as far as they are whole and open with the vault's private key."""
    start = 12 + int.from_bytes(data[8:12], "big")
    if len(data) < 12 or len(data) < start or data[:8] != b"PLVWCAM\x01":
        return []
    try:
        header = json.loads(data[12:start])
        info = "plainview-camera/v1 {kind} {camera}/{stream}".format(**header).encode()
        cipher = AESGCM(SUITE.decrypt(b64decode(header["sealed_key"]), private, info))
    except (ValueError, InvalidTag):
        return []
    context, pieces = sha256(data[:start]).digest(), []
    while True:
        length = int.from_bytes(data[start : start + 4], "big")
        sealed = data[start + 4 : start + 4 + length]
        if not length or len(sealed) < length:
            return pieces
        try:
            pieces.append(cipher.decrypt(len(pieces).to_bytes(12, "big"), sealed, context))
        except InvalidTag:
            return pieces
        start += 4 + length
