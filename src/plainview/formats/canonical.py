"""Canonical JSON: the one way we write a record that is hashed or signed.

Example:
    {"act":"recording.received","at":"2026-03-15T06:52:07.300Z","v":1}
"""

from __future__ import annotations

import json
from typing import Any

from plainview.formats.errors import FormatError

# Above this a JavaScript reader, such as a browser's checker, would round (RFC 8785 section 3.2.2.3).
MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32


def canonical_json(value: Any) -> bytes:
    """Write a value as canonical JSON.

    Args:
        value: dicts with ASCII string keys, lists, strings, booleans, None and integers up to 2**53 - 1.

    Returns:
        UTF-8 without white space, keys sorted.

    Raises:
        FormatError: a float, a large integer, a key that is not ASCII, a lone surrogate, or nesting deeper than 32.

    Source: RFC 8785; keys are held to ASCII, where its UTF-16 order and byte order are the same.
    """
    _check_value(value, 0)
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError(
            "canonical JSON", f"a string holds half a surrogate pair at {error.start}"
        ) from error


def parse_canonical_json(data: bytes, *, what: str, limit_bytes: int) -> Any:
    """Read canonical JSON and refuse any other spelling of the same value.

    Args:
        data: the bytes as they came.
        what: the thing being read, for the error.
        limit_bytes: refuse more than this before parsing.

    Raises:
        FormatError: too long, not UTF-8, not JSON, a repeated key, a float, or not in canonical form.

    Source: RFC 8785.
    """
    if len(data) > limit_bytes:
        raise FormatError(what, f"expected at most {limit_bytes} bytes, got {len(data)}")
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except RecursionError as error:
        raise FormatError(what, f"nested deeper than {MAX_DEPTH}") from error
    except FormatError as error:
        raise FormatError(what, error.problem) from error
    except ValueError as error:
        raise FormatError(what, f"not JSON in UTF-8: {error}") from error
    try:
        written = canonical_json(value)
    except FormatError as error:
        raise FormatError(what, error.problem) from error
    if written != data:
        raise FormatError(what, "not in canonical form: spaces, key order, number or string spelling differ")
    return value


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise FormatError("JSON", "a key appears twice")
    return record


def _refuse_number(text: str) -> Any:
    raise FormatError("JSON", f"expected whole numbers only, got {text[:40]}")


def _bounded_integer(text: str) -> int:
    # Early versions of Python 3.8 take the square of its length to read a number; hostile ones are long.
    if len(text) > len(str(-MAX_INTEGER)):
        raise FormatError("JSON", f"expected integers within 2**53 - 1, got one of {len(text)} digits")
    return int(text)


def _check_value(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise FormatError("canonical JSON", f"nested deeper than {MAX_DEPTH}")
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise FormatError(
                "canonical JSON", f"expected integers within 2**53 - 1, got one of {value.bit_length()} bits"
            )
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise FormatError("canonical JSON", f"expected ASCII string keys, got {key!r:.60}")
            _check_value(item, depth + 1)
    elif kind is list:
        for item in value:
            _check_value(item, depth + 1)
    else:
        raise FormatError("canonical JSON", f"cannot hold a {kind.__name__}")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_refuse_repeats, parse_float=_refuse_number, parse_int=_bounded_integer
)
