"""plainview keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, say
from plainview.custody.record import record
from plainview.formats.note import format_vkey
from plainview.pipeline.installation import publish

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.cli.start import Opened


def run(data: Path, *, rotate: bool, as_json: bool) -> None:
    """Show the log's public key; with rotate, replace the master key first."""
    with opened(data, command="plainview keys", say=say) as here:
        if rotate:
            _rotate(here)
        key = format_vkey(here.installation.signer.key)
        if as_json:
            answer_json({"key": key, "rotated": rotate})
            return
        if rotate:
            answer("The master key was replaced; every object's key is wrapped anew.")
        answer(key)


def _rotate(here: Opened) -> None:
    # First: where the log may not be signed, nothing is to change.
    publish(here.installation)
    here.installation.keys.rotate_master()
    with transaction.atomic():
        record("keys.rotated", object="keys", actor=here.actor, now=utc_now())
    publish(here.installation)
