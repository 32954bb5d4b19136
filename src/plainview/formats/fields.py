"""Check the fields of a parsed record; every JSON format here uses these."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Dict, cast

from plainview.formats.errors import FormatError

HEX_32_BYTES = re.compile(r"[0-9a-f]{64}\Z")
HEX_16_BYTES = re.compile(r"[0-9a-f]{32}\Z")
# What a checker prints must stay one line that cannot steer a terminal, or run right to left over the verdict.
LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]{0,500}\Z")


def check_record(value: Any, *, what: str, keys: frozenset[str], kind: str | None = None) -> dict[str, Any]:
    """Return value as a dict that has exactly these keys, version 1 and, if asked, this kind.

    Raises:
        FormatError: not a dict, a key missing or too many, another version or kind.
    """
    if type(value) is not dict:
        raise FormatError(what, f"expected an object, got {type(value).__name__}")
    if value.keys() != keys:
        missing, extra = sorted(keys - value.keys()), sorted(value.keys() - keys)
        raise FormatError(what, f"missing keys {missing}, unknown keys {extra!s:.200}")
    if value.get("v", 1) != 1 or type(value.get("v", 1)) is not int:
        raise FormatError(what, f"expected version 1, got {value['v']!r:.40}; a newer Plainview wrote this")
    if kind is not None and value["kind"] != kind:
        raise FormatError(what, f"expected kind {kind}, got {value['kind']!r:.60}")
    return cast("Dict[str, Any]", value)


def check_text(value: Any, *, what: str, field: str, pattern: re.Pattern[str] | None = None) -> str:
    """Return value if it is a string and matches pattern from its start.

    Raises:
        FormatError: not a string, or it does not match.
    """
    if type(value) is not str:
        raise FormatError(what, f"{field}: expected text, got {type(value).__name__}")
    if pattern is not None and pattern.match(value) is None:
        raise FormatError(what, f"{field}: expected {pattern.pattern}, got {value[:80]!a}")
    return value


def check_count(value: Any, *, what: str, field: str, at_least: int = 0) -> int:
    """Return value if it is an integer of at least at_least.

    Raises:
        FormatError: not an integer, or too small.
    """
    if type(value) is not int or value < at_least:
        raise FormatError(what, f"{field}: expected a whole number of at least {at_least}, got {value!r:.40}")
    return value


def check_hash(value: Any, *, what: str, field: str) -> bytes:
    """Return the 32 bytes of a lower-case hexadecimal SHA-256.

    Raises:
        FormatError: not 64 lower-case hexadecimal digits.
    """
    return bytes.fromhex(check_text(value, what=what, field=field, pattern=HEX_32_BYTES))


def decode_base64(text: str, *, what: str) -> bytes:
    """Return the bytes of standard, padded base64 in its one canonical spelling.

    Raises:
        FormatError: another alphabet, wrong padding, or spare bits set.

    Source: RFC 4648 section 4 and section 3.5.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise FormatError(what, f"not base64: {text[:60]!r}") from error
    if encode_base64(data) != text:
        raise FormatError(what, f"not the canonical base64 spelling: {text[:60]!r}")
    return data


def encode_base64(data: bytes) -> str:
    """Return standard, padded base64.

    Source: RFC 4648 section 4.
    """
    return base64.b64encode(data).decode("ascii")
