"""Read what a connected system says in a request: names, metadata, lengths; pure.

Source: Axis Body Worn Content Destination API; OpenStack Object Storage API v1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from plainview.evidence import destination_rules as rules
from plainview.service.tus import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINER_META, OBJECT_META = "X-Container-Meta-", "X-Object-Meta-"
# A petabyte has sixteen.
LENGTH_DIGITS = 15
MD5 = re.compile(r"[0-9a-f]{32}\Z")
# What a header may hold without being encoded; Axis encodes all others.
PLAIN = " !#$&'()*+,-./:;<=>?@[]^_`{|}~"


def check_container_name(name: str) -> None:
    """Raise unless a container can have this name.

    Raises:
        RequestError: 400.
    """
    _check(rules.name_problem(name, limit_bytes=rules.CONTAINER_NAME_LIMIT_BYTES))


def check_object_name(container: str, name: str) -> None:
    """Raise unless an object in this container can have this name.

    Raises:
        RequestError: 400.
    """
    _check(rules.name_problem(name, limit_bytes=rules.OBJECT_NAME_LIMIT_BYTES))
    if rules.is_list(container) and "/" in name:
        _check("what is listed has no slash in its name")


def parse_metadata(headers: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return the metadata in a request's headers: keys in lower case, values decoded; empty ones too.

    Raises:
        RequestError: 400: it is not URL-encoded UTF-8, or too much.
    """
    found = {}
    for header, value in headers.items():
        if header.lower().startswith(prefix.lower()):
            found[header[len(prefix) :].lower()] = _decoded(header, value)
    _check(rules.metadata_problem(found))
    return found


def _decoded(header: str, value: str) -> str:
    try:
        # A server gateway hands header bytes on as Latin-1.
        return unquote_to_bytes(value.encode("latin-1")).decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise RequestError(400, f"{header}: expected URL-encoded UTF-8.") from None


def format_metadata(metadata: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return metadata as headers of an answer."""
    return {prefix + key.title(): quote(value, safe=PLAIN) for key, value in metadata.items()}


def parse_body_length(headers: Mapping[str, str], *, protocol: str) -> int | None:
    """Return how many bytes follow, or None where the body ends by itself.

    Args:
        headers: of the request.
        protocol: such as "HTTP/1.1"; from HTTP/2 on a body needs no length.

    Raises:
        RequestError: 400 for no number; 413 for too many.

    Source: RFC 9112 section 6.3.
    """
    text = headers.get("Content-Length", "")
    if "chunked" in headers.get("Transfer-Encoding", "").lower() or (not text and protocol >= "HTTP/2"):
        return None
    if text and not (text.isdecimal() and text.isascii()):
        raise RequestError(400, f"Content-Length: expected a number, got {text!a:.40}.")
    if len(text) > LENGTH_DIGITS:
        raise RequestError(413, "That is more than any server holds.")
    return int(text or "0")


def parse_etag(headers: Mapping[str, str]) -> str | None:
    """Return the MD5 that the sender says its bytes have, or None.

    Raises:
        RequestError: 400: it is none.
    """
    said = headers.get("ETag", "").strip().strip('"').lower()
    if said and MD5.match(said) is None:
        raise RequestError(400, "ETag: expected the MD5 of what is sent, 32 hexadecimal digits.")
    return said or None


def _check(problem: str | None) -> None:
    if problem is not None:
        raise RequestError(400, f"{problem[:1].upper()}{problem[1:]}.")
