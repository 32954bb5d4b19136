"""Check Ed25519 signatures: alone, or by OpenSSL through `cryptography` where that is installed.

Verifiers differ on keys and signatures that no honest signer makes (non-canonical encodings, keys of small order).
All of those are refused here before either implementation is asked, and what remains they answer alike.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Tuple

from plainview.verify.errors import SignatureError

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

# Curve constants of RFC 8032 section 5.1: field prime, group order, d, a square root of -1, base point.
FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, FIELD - 2, FIELD) % FIELD
SQUARE_ROOT_OF_MINUS_1 = pow(2, (FIELD - 1) // 4, FIELD)
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960
# The y of the points of order 1, 2, 4 and 8: under such a key a signature fits messages nobody signed.
_Y_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
SMALL_ORDER_Y = frozenset({0, 1, FIELD - 1, _Y_ORDER_8, FIELD - _Y_ORDER_8})

MISFIT = "it does not fit this key and this text"

# Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, T = XY/Z.
Point = Tuple[int, int, int, int]
NEUTRAL = (0, 1, 1, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % FIELD)


def verify_ed25519(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Check that the owner of this public key signed message.

    Stricter than RFC 8032 where it leaves a choice: the equation without the cofactor, canonical encodings of the
    key and of both halves of the signature, and no key of small order.

    Args:
        public_key: 32 bytes.
        signature: 64 bytes.
        message: what was signed.

    Raises:
        SignatureError: a key or signature that is not one, or one that does not fit the message.

    Source: RFC 8032 section 5.1.7.
    """
    _check_encodings(public_key, signature)
    if HAS_CRYPTOGRAPHY:
        _verify_by_openssl(public_key, signature, message)
    else:
        _verify_alone(public_key, signature, message)


def _verify_by_openssl(public_key: bytes, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature as error:
        raise SignatureError("Ed25519 signature", MISFIT) from error
    except UnsupportedAlgorithm:
        # An OpenSSL held to an older FIPS 140 has no Ed25519.
        _verify_alone(public_key, signature, message)


def _check_encodings(public_key: bytes, signature: bytes) -> None:
    if len(public_key) != 32:
        raise SignatureError("Ed25519 key", f"expected 32 bytes, got {len(public_key)}")
    if len(signature) != 64:
        raise SignatureError("Ed25519 signature", f"expected 64 bytes, got {len(signature)}")
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if y >= FIELD:
        raise SignatureError("Ed25519 key", "not the canonical encoding of a point")
    if y in SMALL_ORDER_Y:
        raise SignatureError("Ed25519 key", "a point of small order, under which anything is signed")
    if int.from_bytes(signature[32:], "little") >= ORDER:
        raise SignatureError("Ed25519 signature", "its second half is not below the group order")


def _verify_alone(public_key: bytes, signature: bytes, message: bytes) -> None:
    key = _decode_point(public_key)
    s = int.from_bytes(signature[32:], "little")
    digest = sha512(signature[:32] + public_key + message).digest()
    h = int.from_bytes(digest, "little") % ORDER
    negated = (FIELD - key[0], key[1], key[2], FIELD - key[3])
    expected = _add(_multiply(s, BASE), _multiply(h, negated))
    if _encode_point(expected) != signature[:32]:
        raise SignatureError("Ed25519 signature", MISFIT)


def _add(p: Point, q: Point) -> Point:
    # RFC 8032 section 5.1.4; complete, so it doubles too.
    a = (p[1] - p[0]) * (q[1] - q[0]) % FIELD
    b = (p[1] + p[0]) * (q[1] + q[0]) % FIELD
    c = 2 * p[3] * q[3] * CURVE_D % FIELD
    d = 2 * p[2] * q[2] % FIELD
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD


def _multiply(scalar: int, point: Point) -> Point:
    product: Point = NEUTRAL
    while scalar:
        if scalar & 1:
            product = _add(product, point)
        point = _add(point, point)
        scalar >>= 1
    return product


def _encode_point(point: Point) -> bytes:
    # RFC 8032 section 5.1.2.
    inverse = pow(point[2], FIELD - 2, FIELD)
    x, y = point[0] * inverse % FIELD, point[1] * inverse % FIELD
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode_point(data: bytes) -> Point:
    # RFC 8032 section 5.1.3; x is not 0, for such points are of small order.
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(CURVE_D * y * y + 1, FIELD - 2, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    if x * x % FIELD != square:
        x = x * SQUARE_ROOT_OF_MINUS_1 % FIELD
    if x * x % FIELD != square:
        raise SignatureError("Ed25519 key", "not a point on the curve")
    if x & 1 != sign:
        x = FIELD - x
    return x, y, 1, x * y % FIELD
