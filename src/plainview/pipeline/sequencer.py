"""Publish the custody log while a server runs, about once a second when acts wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.custody.queries import leaf_count
from plainview.custody.sequence import assign_indices, publish_assigned, running_epoch
from plainview.vault.log_errors import LogError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.custody.sequence import LogSigner

EVERY_S = 1.0
# Where the log cannot be published, asking every second would only fill the disk with complaints.
AFTER_TROUBLE_S = 15.0


def keep_publishing(
    signer: LogSigner,
    *,
    is_over: Callable[[float], bool],
    on_published: Callable[[int], None],
    on_trouble: Callable[[LogError], None],
) -> None:
    """Publish what waits, until told to end; then once more, so that what was done is on the log.

    Args:
        signer: the running log.
        is_over: waits for the end, at most that many seconds, and says whether it has come.
        on_published: told the size of the log after each checkpoint.
        on_trouble: told why the log could not be published; it is tried again later.

    Raises:
        DatabaseError: the database went away.
    """
    is_last, wait_s = False, 0.0
    while not is_last:
        is_last = is_over(wait_s)
        wait_s = EVERY_S
        try:
            size = publish_what_waits(signer)
        except LogError as error:
            on_trouble(error)
            wait_s = AFTER_TROUBLE_S
        else:
            if size is not None:
                on_published(size)


def publish_what_waits(signer: LogSigner) -> int | None:
    """Publish if an act waits for its index, or a leaf for its checkpoint; where nothing waits, nothing is written.

    Returns:
        The size of the log, or None where nothing waited.

    Raises:
        LogError: see custody.sequence.publish_assigned.
    """
    epoch = running_epoch()
    # Also leaves that another process gave their indices and did not live to publish.
    while assign_indices(epoch) or _published_size(signer) < leaf_count(epoch.epoch):
        size = publish_assigned(epoch, signer).size
        if size >= leaf_count(epoch.epoch):
            return size
    return None


def _published_size(signer: LogSigner) -> int:
    published = signer.log.published()
    return published[0].size if published else 0
