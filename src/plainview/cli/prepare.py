"""plainview init."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.cli.start import opened
from plainview.cli.talk import answer, answer_json, say
from plainview.formats.note import format_vkey

if TYPE_CHECKING:
    from pathlib import Path


def run(data: Path, *, recovery_file: Path | None, log_name: str | None, as_json: bool) -> None:
    """Prepare the data directory and say where the recovery key is and which key to publish."""
    with opened(
        data, command="plainview init", say=say, recovery_file=recovery_file, log_name=log_name
    ) as here:
        key = format_vkey(here.installation.signer.key)
        if as_json:
            answer_json({"data": str(here.installation.data), "key": key})
            return
        answer(f"Ready: {here.installation.data}")
        answer("Publish this key where recipients can find it without asking you:")
        answer(f"  {key}")
