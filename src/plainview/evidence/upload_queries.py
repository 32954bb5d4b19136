"""Read what people hand in through a browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from plainview.evidence.errors import NoSuchUploadError
from plainview.evidence.models import SearchRow, Upload
from plainview.evidence.queries import may_know

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from plainview.accounts.rules import Viewer

# How long what was sent is kept for whoever means to send the rest.
KEPT_FOR = timedelta(days=7)
# Bytes of these lie in the vault and are no recording yet.
OPEN_STATES = ("receiving", "stored")


@dataclass(frozen=True)
class KnownUpload:
    """A file that somebody hands in, as other packages see it.

    Attributes:
        name: 32 hex digits: in the address, and of the object it will be.
        pseudonym: of who hands it in, as the custody log names them.
        offered_name: the file's name, made printable.
        size_bytes: how much was announced.
        state: receiving; stored, until it is known what it is; then received, duplicate, quarantined, refused; dropped.
        begun_at: when.
        ended_at: when it was known what became of it; None until then.
        recording: identifier of the recording it became, or that has the same bytes, as far as this viewer may know.
        reason: why it is not a recording, as a code.
        reason_text: the same for people.
    """

    name: str
    pseudonym: str
    offered_name: str
    size_bytes: int
    state: str
    begun_at: datetime
    ended_at: datetime | None
    recording: str | None
    reason: str
    reason_text: str

    @property
    def expires_at(self) -> datetime:
        """Return until when what was sent is kept."""
        return self.begun_at + KEPT_FOR

    def is_gone(self, at: datetime) -> bool:
        """Say whether what was sent is kept no longer, and became nothing."""
        is_late = self.state == "receiving" and at >= self.expires_at
        return is_late or self.state in {"dropped", "refused"}


def access_upload(*, viewer: Viewer, name: str) -> KnownUpload:
    """Return an upload of this viewer's own.

    Raises:
        NoSuchUploadError: there is none, or it is somebody else's.
    """
    row = _rows().filter(name=name, user_id=viewer.user).first() if viewer.user is not None else None
    if row is None:
        raise NoSuchUploadError(name)
    return _known(row, recording=_recording_known_to(viewer, row))


def get_upload(name: str) -> KnownUpload | None:
    """Return an upload, for the system's own work, or None."""
    row = _rows().filter(name=name).first()
    if row is None:
        return None
    return _known(row, recording=None if row.recording is None else row.recording.identifier)


def open_upload_names() -> set[str]:
    """Return the names of all uploads whose bytes lie in the vault and are no recording yet."""
    return set(Upload.objects.filter(state__in=OPEN_STATES).values_list("name", flat=True))


def open_uploads(state: str, *, begun_before: datetime) -> Iterator[KnownUpload]:
    """Yield uploads in a state, receiving or stored, that were begun before a moment, oldest first."""
    for row in _rows().filter(state=state, begun_at__lt=begun_before).order_by("begun_at").iterator():
        yield _known(row, recording=None)


def _rows() -> QuerySet[Upload]:
    return Upload.objects.select_related("user", "recording")


def _recording_known_to(viewer: Viewer, row: Upload) -> str | None:
    if row.recording is None:
        return None
    # What somebody handed in themselves they know; of what was there before, only what they may know anyway.
    if row.state == "received":
        return row.recording.identifier
    is_known = SearchRow.objects.filter(may_know(viewer), pk=row.recording_id).exists()
    return row.recording.identifier if is_known else None


def _known(row: Upload, *, recording: str | None) -> KnownUpload:
    return KnownUpload(
        name=row.name,
        pseudonym=f"user:{row.user.pseudonym}",
        offered_name=row.offered_name,
        size_bytes=row.size_bytes,
        state=row.state,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
        recording=recording,
        reason=row.reason,
        reason_text=row.reason_text,
    )
