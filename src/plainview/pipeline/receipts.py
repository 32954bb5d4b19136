"""Make receipts: the leaf of an act, and the proof that a published checkpoint covers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.custody.act_queries import place_of
from plainview.formats.receipt import format_receipt, make_receipt

if TYPE_CHECKING:
    from plainview.evidence.offload_queries import KnownOffload
    from plainview.pipeline.installation import Installation


def receipt_of(installation: Installation, offload: KnownOffload) -> bytes | None:
    """Return the receipt of what became of an offload, as formats.receipt writes it.

    Returns:
        None while no published checkpoint covers the act, and for what was refused or given up.

    Raises:
        LogError: the log cannot be read.
    """
    return None if offload.act_id is None else receipt_of_act(installation, offload.act_id)


def receipt_of_act(installation: Installation, act_id: int) -> bytes | None:
    """Return the receipt of an act, or None while no published checkpoint covers it.

    Raises:
        LogError: the log cannot be read.
    """
    place = place_of(act_id)
    if place is None:
        return None
    epoch, index = place
    log = installation.log_of(epoch)
    if index >= log.size():
        return None
    return format_receipt(make_receipt(log.entry(index), log.prove(index)))
