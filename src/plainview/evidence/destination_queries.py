"""Read connected systems of other makers, and what they hand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import Coalesce, Greatest

from plainview.accounts.queries import officer_key, officer_with_badge
from plainview.evidence.camera_models import Destination, DestinationContainer, DestinationObject
from plainview.evidence.destination_rules import USERS
from plainview.evidence.queries import known_original, known_recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from plainview.accounts.rules import OfficerKey
    from plainview.evidence.rules import KnownOriginal, KnownRecording


@dataclass(frozen=True)
class KnownDestination:
    """A connected system as other packages see it.

    Attributes:
        key: of its row.
        name: what the department calls it.
        account: what it signs in as, and its part of the address.
        password: the hash of its password, as Django keeps it.
        pseudonym: what the custody log knows it by.
        key_name: which content key it encrypts to; empty where it sends footage in the clear.
        settings: what else its connection says.
        made_at: when it was connected.
        closed_at: since when it may hand in nothing.
    """

    key: int
    name: str
    account: str
    password: str
    pseudonym: str
    key_name: str
    settings: dict[str, Any]
    made_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True)
class KnownObject:
    """An object in a container, as other packages see it.

    Attributes:
        key: of its row.
        name: as it came.
        kind: one of camera_rules.DESTINATION_OBJECT_KINDS.
        metadata: keys in lower case.
        size_bytes: of what came.
        md5: of the same, 32 hex digits.
        sha256: of the same, 64 hex digits.
        object_id: the object in the vault that holds what came; empty where it holds it no more, or nothing came.
        original: what it became; None until then.
        received_at: when it came.
    """

    key: int
    name: str
    kind: str
    metadata: dict[str, str]
    size_bytes: int
    md5: str
    sha256: str
    object_id: str
    original: KnownOriginal | None
    received_at: datetime


@dataclass(frozen=True)
class KnownContainer:
    """A container as other packages see it.

    Attributes:
        key: of its row.
        destination: whose it is.
        name: as it came.
        state: receiving, complete (nothing more will come), received (it is a recording); rejected.
        metadata: keys in lower case.
        recording: what it became; None until then, or where nothing of it can be played.
        reason: what is to be said of it, as a code; empty where nothing is.
        reason_text: the same for people.
    """

    key: int
    destination: KnownDestination
    name: str
    state: str
    metadata: dict[str, str]
    recording: KnownRecording | None
    reason: str
    reason_text: str


@dataclass(frozen=True)
class Holdings:
    """How much a container holds."""

    objects: int
    size_bytes: int


def destination_of(account: str) -> KnownDestination | None:
    """Return the connected system that signs in so, closed or not, or None."""
    row = Destination.objects.filter(account=account).first()
    return None if row is None else _destination(row)


def destinations() -> list[KnownDestination]:
    """Return all connected systems, first made first, the closed ones too."""
    return [_destination(row) for row in Destination.objects.order_by("pk")]


def destination_with_key(key_name: str) -> KnownDestination | None:
    """Return the connected system, closed or not, whose content key has this id; None where there is none."""
    row = Destination.objects.filter(key_name=key_name).exclude(key_name="").order_by("-pk").first()
    return None if row is None else _destination(row)


def container_named(destination: KnownDestination, name: str) -> KnownContainer | None:
    """Return a container of a connected system, or None."""
    row = _containers().filter(destination_id=destination.key, name=name).first()
    return None if row is None else _container(row)


def get_container(key: int) -> KnownContainer | None:
    """Return a container, or None."""
    row = _containers().filter(pk=key).first()
    return None if row is None else _container(row)


def holdings(container: KnownContainer) -> Holdings:
    """Return how much a container holds."""
    found = DestinationObject.objects.filter(container_id=container.key).aggregate(
        objects=Count("pk"), size_bytes=Coalesce(Sum("size_bytes"), 0)
    )
    return Holdings(**found)


def object_named(container: KnownContainer, name: str) -> KnownObject | None:
    """Return an object of a container, or None."""
    row = _objects().filter(container_id=container.key, name=name).first()
    return None if row is None else _object(row)


def objects_of(container: KnownContainer) -> list[KnownObject]:
    """Return the objects of a container, by name."""
    return [_object(row) for row in _objects().filter(container_id=container.key).order_by("name")]


def arriving_object_ids() -> set[str]:
    """Return the ids of all objects in the vault that hold what connected systems sent, and that they need yet."""
    rows = DestinationObject.objects.exclude(object_id="")
    return set(rows.values_list("object_id", flat=True))


def containers_quiet_since(moment: datetime) -> Iterator[tuple[KnownContainer, datetime]]:
    """Yield containers of recordings that are not complete and got nothing since a moment, and when they last did."""
    rows = _containers().filter(state="receiving").exclude(name__in=["System", "Users", "Devices"])
    newest = Greatest(Coalesce(Max("contents__received_at"), "begun_at"), "begun_at")
    for row in rows.annotate(newest_at=newest).filter(newest_at__lt=moment).order_by("pk"):
        yield _container(row), row.newest_at


def unfinished_containers(*, begun_before: datetime) -> list[int]:
    """Return the keys of containers in which something waits to be taken in, that were begun before a moment."""
    waits = Q(state="complete") | Q(state="rejected", contents__original=None, contents__size_bytes__gt=0)
    rows = DestinationContainer.objects.filter(waits, begun_at__lt=begun_before)
    return list(rows.distinct().order_by("pk").values_list("pk", flat=True))


def officer_of(container: KnownContainer, user: str) -> OfficerKey | None:
    """Return who on the roster a system's own name for a user is, by the badge number entered there; or None."""
    row = DestinationObject.objects.filter(
        container__destination_id=container.destination.key, container__name=USERS, name=user
    ).first()
    badge = "" if row is None else str(row.metadata.get("userid", ""))
    officer = officer_with_badge(badge) if badge else None
    return None if officer is None else officer_key(officer)


def _containers() -> Any:
    return DestinationContainer.objects.select_related("destination", "recording")


def _objects() -> Any:
    return DestinationObject.objects.select_related("original")


def _destination(row: Destination) -> KnownDestination:
    return KnownDestination(
        key=row.pk,
        name=row.name,
        account=row.account,
        password=row.password,
        pseudonym=row.pseudonym,
        key_name=row.key_name,
        settings=row.settings,
        made_at=row.made_at,
        closed_at=row.closed_at,
    )


def _container(row: DestinationContainer) -> KnownContainer:
    return KnownContainer(
        key=row.pk,
        destination=_destination(row.destination),
        name=row.name,
        state=row.state,
        metadata=row.metadata,
        recording=None if row.recording is None else known_recording(row.recording),
        reason=row.reason,
        reason_text=row.reason_text,
    )


def _object(row: DestinationObject) -> KnownObject:
    return KnownObject(
        key=row.pk,
        name=row.name,
        kind=row.kind,
        metadata=row.metadata,
        size_bytes=row.size_bytes,
        md5=row.md5,
        sha256=row.sha256,
        object_id=row.object_id,
        original=None if row.original is None else known_original(row.original),
        received_at=row.received_at,
    )
