"""Who does what a page asks for, as the custody log may know them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from plainview.custody.record import Actor
from plainview.web.viewer import address_of

if TYPE_CHECKING:
    from plainview.web.viewer import Request


def actor_of(request: Request) -> Actor:
    """Return who asks, with where from and in which session.

    A session's own key would open it, so its digest stands for it.
    """
    key = request.session.session_key or ""
    return Actor(
        request.viewer.pseudonym,
        session={
            "address": address_of(request),
            "session_sha256": sha256(key.encode()).hexdigest(),
        },
    )
