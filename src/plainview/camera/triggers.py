"""Triggers heard over the network: who said it, whether it is fresh, whether it was heard before; and saying one.

Source: formats.trigger; datagrams of UDP, one message each, on TRIGGER_PORT.
"""

from __future__ import annotations

import datetime as dt
import socket
from typing import TYPE_CHECKING, Final

from plainview.camera.events import RefusedTrigger, Trigger
from plainview.formats.errors import FormatError
from plainview.formats.note import parse_note
from plainview.formats.trigger import TRIGGER_LIMIT_BYTES, TriggerMessage, format_trigger, parse_trigger
from plainview.verify.errors import VerificationError
from plainview.verify.note import open_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plainview.formats.note import VerifierKey

TRIGGER_PORT: Final = 47_820
FRESH_MS: Final = 10_000
# A message and its signature.
_DATAGRAM_BYTES: Final = TRIGGER_LIMIT_BYTES + 512
# Somebody who sends nonsense all the time fills no journal: one line so often, with how many were left out.
_REFUSED_EVERY_MS: Final = 10_000
_MOST_REMEMBERED: Final = 1000


class Ear:
    """Judges triggers; remembers those of the last moments, and how many it refused.

    Attributes:
        keys: whose triggers are obeyed.
        own_name: of this camera, which does not hear itself.
    """

    def __init__(self, keys: Iterable[VerifierKey], *, own_name: str = "") -> None:
        self.keys = tuple(keys)
        self.own_name = own_name
        self._heard: dict[tuple[str, str], int] = {}
        self._refused_ms: int | None = None
        self._left_out = 0

    def judge(self, data: bytes, *, at: dt.datetime, mono_ms: int) -> Trigger | RefusedTrigger | None:
        """Say what a datagram is.

        Args:
            data: as it came.
            at: the camera's clock, aware UTC.
            mono_ms: since the camera was switched on.

        Returns:
            A trigger to obey; one to put on record as refused; None where neither: it was heard before, is the
            camera's own, or too many are refused just now.
        """
        message, why = self._read(data)
        if message is None:
            return self._refuse(mono_ms, {"why": why})
        if message.sender == self.own_name:
            return None
        known = {"source": message.source, "sender": message.sender, "id": message.identifier}
        if abs(message.at - at) > dt.timedelta(milliseconds=FRESH_MS):
            return self._refuse(mono_ms, {**known, "why": "not_fresh"})
        if not self._is_new(message, mono_ms):
            return None
        facts = {name: known[name] for name in ("sender", "id")}
        return Trigger(mono_ms, message.source, facts)

    def _read(self, data: bytes) -> tuple[TriggerMessage | None, str]:
        try:
            text = data.decode()
            message = parse_trigger(parse_note(text).text)
        except (UnicodeDecodeError, FormatError):
            return None, "malformed"
        # Only the sender's own key speaks for the sender.
        keys = [key for key in self.keys if key.name == message.sender]
        if not keys:
            return None, "unknown_sender"
        try:
            open_note(text, keys)
        except VerificationError:
            return None, "wrong_signature"
        return message, ""

    def _is_new(self, message: TriggerMessage, mono_ms: int) -> bool:
        # By both clocks: a message stays fresh for at most twice FRESH_MS, however the sender's clock is wrong.
        recent = {
            name: heard_ms for name, heard_ms in self._heard.items() if mono_ms - heard_ms <= 3 * FRESH_MS
        }
        name = (message.sender, message.identifier)
        is_new = name not in recent
        recent[name] = mono_ms
        self._heard = dict(list(recent.items())[-_MOST_REMEMBERED:])
        return is_new

    def _refuse(self, mono_ms: int, facts: dict[str, str]) -> RefusedTrigger | None:
        if self._refused_ms is not None and mono_ms - self._refused_ms < _REFUSED_EVERY_MS:
            self._left_out += 1
            return None
        left_out, self._left_out, self._refused_ms = self._left_out, 0, mono_ms
        return RefusedTrigger(mono_ms, {**facts, **({"left_out": left_out} if left_out else {})})


def make_trigger(
    source: str, *, sender: str, at: dt.datetime, identifier: str, sign_note: Callable[[str], str]
) -> bytes:
    """Write a signed trigger, as a datagram carries it.

    Args:
        source: one of formats.trigger.TRIGGER_SOURCES.
        sender: the name its key signs under.
        at: by the sender's clock; aware UTC.
        identifier: 16 random hex digits.
        sign_note: returns a text as a note signed under that name.

    Raises:
        FormatError: a malformed field.
    """
    return sign_note(format_trigger(TriggerMessage(sender, source, at, identifier))).encode()


def open_ear(port: int = TRIGGER_PORT) -> socket.socket:
    """Return a socket on which triggers are heard; read at most one datagram a call with hear_one."""
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    heard.bind(("", port))
    return heard


def hear_one(heard: socket.socket) -> bytes:
    """Wait for a datagram; what is longer than a trigger is cut, and so refused."""
    return heard.recv(_DATAGRAM_BYTES)


def say(data: bytes, *, address: str = "255.255.255.255", port: int = TRIGGER_PORT) -> None:
    """Send a trigger to all around, or to one; three times, since a datagram may be lost and counts once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for _ in range(3):
            mouth.sendto(data, (address, port))
