"""Take in what a connected system handed in as one press of a button: its clips are the parts of one recording.

Each object is one transaction; interrupted anywhere, doing it again goes on where it stopped, with one recording.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, cast

from plainview.custody.record import Actor
from plainview.evidence import destination_actions as actions
from plainview.evidence import destination_queries, queries
from plainview.evidence import destination_rules as rules
from plainview.evidence.errors import AlreadyReceivedError
from plainview.pipeline.examine import Unusable, capture_times, examine
from plainview.pipeline.installation import publish
from plainview.pipeline.intake import discard, facts_of
from plainview.service.errors import JailError
from plainview.vault.content_keys import (
    ContentKey,
    ContentReader,
    open_content_key,
    parse_key_file,
    unwrap_key,
)
from plainview.vault.errors import (
    AlteredObjectError,
    ContentKeyError,
    EmptyOriginalError,
    KeyMissingError,
    ObjectMissingError,
)
from plainview.vault.fsck import describe_object
from plainview.vault.reader import open_object
from plainview.vault.receive import receive

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.evidence.destination_queries import KnownContainer, KnownDestination, KnownObject
    from plainview.evidence.destination_rules import Press
    from plainview.evidence.rules import DeviceKey, KnownRecording, OriginalFacts
    from plainview.formats.leaf import Fact
    from plainview.pipeline.installation import Installation
    from plainview.pipeline.intake import Intake
    from plainview.vault.content_keys import KeyFile
    from plainview.vault.errors import VaultError

KEEPER = Actor("system:destinations")
GIVE_UP_AFTER_H = 72
JOB_LOST_AFTER = timedelta(minutes=10)
NEVER_COMPLETE = (
    "never_complete",
    "The connected system never said that this was all; it was taken in as far as it came.",
)
NO_CLIP = ("no_clip", "A connected system handed in a recording without a clip that can be played.")
REJECTED = (
    "rejected_content",
    "A connected system handed it in as content that had been refused, or that it knows to be damaged.",
)
REPLACED = (
    "replaced",
    "A connected system sent other bytes later under the same name; these came first, perhaps not to their end.",
)
NOT_UNDERSTOOD = (
    "not_understood",
    "A connected system handed it in, and it is none of what its specification names.",
)


@dataclass(frozen=True)
class _Job:
    """One container being taken in."""

    intake: Intake
    container: KnownContainer
    press: Press
    objects: list[KnownObject]
    device: DeviceKey | None
    key_files: list[str]

    @property
    def installation(self) -> Installation:
        return self.intake.installation


def take_in_container(intake: Intake, key: int) -> None:
    """Make a recording of a container that is complete; keep aside what was refused before.

    Args:
        intake: what taking in needs.
        key: of the container; one that nothing waits in is left alone.

    Raises:
        JailError: the jail failed; try again.
        StoreError, KeyStoreError: the disk is full or broken; nothing is lost; try again.
        LogError: the log cannot be published; try again.
    """
    container = destination_queries.get_container(key)
    if container is None or container.state not in {"complete", "rejected"}:
        return
    zone = intake.installation.zone
    press = rules.press_of(container.name, container.metadata, zone=zone)
    objects = destination_queries.objects_of(container)
    key_files = [each.name for each in objects if each.kind == "key"]
    job = _Job(intake, container, press, objects, _camera(intake, container, press), key_files)
    damaged = _take_in(job, [each for each in objects if each.original is None and each.object_id])
    publish(intake.installation)
    _drop_copies(job)
    if damaged is not None:
        # The others are safe; it is tried again, and a person is asked once.
        actions.ask_about_container(container=container, text=str(damaged), actor=KEEPER, now=intake.now())
    elif container.state == "complete":
        _mark_moments(job)
        reason, text = _remark(job)
        actions.end_container(
            container=container, reason=reason, reason_text=text, actor=KEEPER, now=intake.now()
        )


def _take_in(job: _Job, waiting: list[KnownObject]) -> VaultError | None:
    """Take in what waits, clips first; return what is wrong with an object that the vault cannot give back."""
    damaged = None
    for each in sorted(waiting, key=_in_order):
        try:
            _take_one(job, each)
        except (AlteredObjectError, KeyMissingError, ObjectMissingError) as error:
            damaged = damaged or error
    return damaged


def _in_order(each: KnownObject) -> tuple[bool, tuple[int, str]]:
    return each.kind != "clip", rules.clip_start(each.metadata, each.name)


def _take_one(job: _Job, found: KnownObject) -> None:
    if job.container.state == "rejected":
        _keep_aside(job, found, _sent(job, found), *REJECTED)
    elif found.kind == "clip":
        _take_clip(job, found)
    elif found.kind in {"key", "track", "bookmark"}:
        _take_beside(job, found)
    else:
        is_replaced = rules.is_set_aside(found.name)
        _keep_aside(job, found, _sent(job, found), *(REPLACED if is_replaced else NOT_UNDERSTOOD))


def _mark_moments(job: _Job) -> None:
    """Mark what bookmarks without a text mark."""
    recording = _recording(job)
    if recording is not None:
        silent = [each for each in job.objects if each.kind == "bookmark" and not each.size_bytes]
        marks = [_mark(each, recording, "") for each in silent]
        actions.add_markers(recording=recording, marks=marks, now=job.intake.now())


def keep_destinations(*, now: datetime) -> int:
    """Take containers for complete to which nothing has come for long, and look for those that no job is about.

    Returns:
        How many were taken for complete.
    """
    count = 0
    for container, newest_at in destination_queries.containers_quiet_since(now - timedelta(hours=1)):
        hours = int(container.destination.settings.get("give_up_after_h", GIVE_UP_AFTER_H))
        if newest_at < now - timedelta(hours=hours):
            reason, text = NEVER_COMPLETE
            actions.complete_container(container=container, reason=reason, reason_text=text, now=now)
            count += 1
    for key in destination_queries.unfinished_containers(begun_before=now - JOB_LOST_AFTER):
        actions.defer_container(key)
    return count


# --- clips


def _take_clip(job: _Job, found: KnownObject) -> None:
    """Make a clip a part; one that was encrypted is kept as what it decrypts to, one that nothing opens as it came."""
    keys = rules.key_names(found.name, job.key_files)
    if not keys:
        _take_plain_clip(job, found, _sent(job, found), {})
        return
    try:
        plain, facts = _decrypted(job, found, keys)
    except ContentKeyError as error:
        _keep_aside(
            job, found, _sent(job, found), "not_decrypted", f"{str(error)[:1].upper()}{str(error)[1:]}"
        )
        return
    try:
        is_known = _take_plain_clip(job, found, plain, facts)
    except JailError:
        discard(job.installation, plain.object_id)
        raise
    if not is_known:
        discard(job.installation, plain.object_id)
        text = "It was decrypted, and what that gives cannot be played. It is kept as it came, encrypted."
        _keep_aside(job, found, _sent(job, found), "not_media", text)


def _take_plain_clip(job: _Job, found: KnownObject, original: OriginalFacts, facts: dict[str, Fact]) -> bool:
    """Make a clip a part.

    Returns:
        Whether it is known what becomes of it; not where it was decrypted to something that cannot be played.
    """
    known = queries.original_by_sha256(original.sha256)
    if known is not None and known.state == "adopted":
        original = _instead(job, original, known.facts)
    elif known is not None:
        _offer_again(job, found, original)
        return True
    installation = job.installation
    examined = examine(
        original.object_id, store=installation.store, keys=installation.keys, jail=job.intake.jail
    )
    if isinstance(examined, Unusable):
        if facts:
            return False
        _keep_aside(job, found, original, examined.reason, examined.text)
        return True
    probe, probe_facts = examined
    times = job.press.times or capture_times(probe, zone=installation.zone)
    clip = actions.Clip(
        original=original,
        probe=probe_facts,
        times=times,
        trigger=job.press.trigger,
        device=job.device,
        wearer=destination_queries.officer_of(job.container, job.press.user),
        facts=facts | _said_by(job),
    )
    try:
        actions.receive_clip(found=found, clip=clip, actor=KEEPER, now=job.intake.now())
    except AlreadyReceivedError:
        # By somebody else, a moment ago.
        _offer_again(job, found, original)
    return True


def _offer_again(job: _Job, found: KnownObject, original: OriginalFacts) -> None:
    known = queries.original_by_sha256(original.sha256)
    assert known is not None, "whoever calls has seen it"
    if original.object_id not in {found.object_id, known.facts.object_id}:
        discard(job.installation, original.object_id)
    actions.offer_object_again(
        found=found,
        original=known,
        recording=queries.first_recording_of(known),
        actor=KEEPER,
        now=job.intake.now(),
    )


def _instead(job: _Job, ours: OriginalFacts, kept: OriginalFacts) -> OriginalFacts:
    """Return what an interruption left, in place of what was just made of the same bytes."""
    if kept.object_id != ours.object_id:
        with contextlib.suppress(KeyMissingError):
            sent = {each.object_id for each in job.objects}
            if ours.object_id not in sent:
                discard(job.installation, ours.object_id)
    return kept


# --- what is encrypted


def _decrypted(job: _Job, found: KnownObject, keys: list[str]) -> tuple[OriginalFacts, dict[str, Fact]]:
    """Store what an encrypted object decrypts to, as an object of its own.

    Raises:
        ContentKeyError: none of the key files opens it.
    """
    problem = ContentKeyError("it came without a key file")
    for name in keys:
        try:
            return _decrypted_with(job, found, _key_file(job, name))
        except ContentKeyError as error:
            problem = error
    raise problem


def _decrypted_with(job: _Job, found: KnownObject, file: KeyFile) -> tuple[OriginalFacts, dict[str, Fact]]:
    installation = job.installation
    store, keys = installation.store, installation.keys
    destination, content_key = _content_key(job.container.destination, file)
    key = unwrap_key(open_content_key(keys, content_key), file)
    with open_object(store, keys, found.object_id) as sealed:
        plain = ContentReader(sealed, key=key, iv=file.iv)
        try:
            received = receive(cast("BinaryIO", plain), store=store, keys=keys)
        except EmptyOriginalError:
            raise ContentKeyError("it decrypts to nothing") from None
    facts: dict[str, Fact] = {
        "sent_sha256": found.sha256,
        "sent_bytes": found.size_bytes,
        "content_key": destination.key_name,
    }
    return facts_of(received), facts


def _content_key(own: KnownDestination, file: KeyFile) -> tuple[KnownDestination, ContentKey]:
    """Return the content key that a key file names; a recording may be older than the connection it comes by."""
    named = destination_queries.destination_with_key(file.key_id) if file.key_id else None
    destination = named or own
    if not destination.key_name:
        raise ContentKeyError("it is encrypted, and this connection was made without a key")
    return destination, ContentKey(**destination.settings["content_key"])


def _key_file(job: _Job, name: str) -> KeyFile:
    found = next(each for each in job.objects if each.name == name)
    return parse_key_file(_bytes_of(job, found, rules.TEXT_LIMIT_BYTES))


# --- what comes along


def _take_beside(job: _Job, found: KnownObject) -> None:
    """Keep a key, a track or a bookmark's text beside the recording, with what it says of it."""
    original, facts = _sent(job, found), dict[str, "Fact"]()
    if found.kind == "track" and _points(job, original) is None:
        keys = rules.key_names(found.name, job.key_files)
        with contextlib.suppress(ContentKeyError):
            original, facts = _decrypted(job, found, keys)
    recording = _recording(job)
    mark = None
    if found.kind == "bookmark" and recording is not None:
        text = _bytes_of(job, found, rules.TEXT_LIMIT_BYTES).decode("utf-8", "replace")
        mark = _mark(found, recording, text)
    actions.attach_object(
        found=found,
        original=original,
        recording=recording,
        device=job.device,
        mark=mark,
        points=_points(job, original) if found.kind == "track" else None,
        facts=facts | _said_by(job),
        actor=KEEPER,
        now=job.intake.now(),
    )
    kept = queries.original_by_sha256(original.sha256)
    assert kept is not None, "it was attached just now"
    if original.object_id not in {kept.facts.object_id, found.object_id}:
        discard(job.installation, original.object_id)


def _mark(found: KnownObject, recording: KnownRecording, text: str) -> actions.Mark:
    bookmark = rules.bookmark_of(found.metadata)
    started_at = recording.times.started_at
    return actions.Mark(
        name=found.name,
        start_ms=rules.position_ms(bookmark.start_at, started_at),
        end_ms=rules.position_ms(bookmark.end_at, started_at),
        category=bookmark.category,
        text=text,
        particulars=bookmark.particulars,
    )


def _points(job: _Job, original: OriginalFacts) -> list[list[float | None]] | None:
    if original.size_bytes > rules.TRACK_LIMIT_BYTES:
        return None
    with open_object(job.installation.store, job.installation.keys, original.object_id) as reader:
        return rules.parse_track(reader.read())


def _bytes_of(job: _Job, found: KnownObject, limit_bytes: int) -> bytes:
    """Return the beginning of what came as an object."""
    object_id = found.object_id
    if not object_id and found.original is not None:
        object_id = found.original.facts.object_id
    if not object_id:
        return b""
    with open_object(job.installation.store, job.installation.keys, object_id) as reader:
        return reader.read(limit_bytes) or b""


# --- all of them


def _keep_aside(job: _Job, found: KnownObject, original: OriginalFacts, reason: str, text: str) -> None:
    """Keep in quarantine, with the reason, what nothing can be made of."""
    known = queries.original_by_sha256(original.sha256)
    if known is not None and known.state != "adopted":
        _offer_again(job, found, original)
        return
    if known is not None:
        original = _instead(job, original, known.facts)
    actions.quarantine_object(
        found=found, original=original, reason=reason, text=text, actor=KEEPER, now=job.intake.now()
    )


def _sent(job: _Job, found: KnownObject) -> OriginalFacts:
    """Read an object as it came, whole, once more: it must still be what was acknowledged.

    Raises:
        VaultError: it is not, or cannot be read.
    """
    installation = job.installation
    return facts_of(describe_object(installation.store, installation.keys, found.object_id))


def _said_by(job: _Job) -> dict[str, Fact]:
    return {"destination": job.container.destination.pseudonym}


def _camera(intake: Intake, container: KnownContainer, press: Press) -> DeviceKey | None:
    if not press.serial or container.state == "rejected":
        return None
    return actions.register_camera(serial=press.serial, model=press.model, actor=KEEPER, now=intake.now())


def _recording(job: _Job) -> KnownRecording | None:
    container = destination_queries.get_container(job.container.key)
    return None if container is None else container.recording


def _drop_copies(job: _Job) -> None:
    """Forget what came where the vault holds the same, or what it decrypts to, as an original."""
    for each in destination_queries.objects_of(job.container):
        if each.original is not None and each.object_id and each.object_id != each.original.facts.object_id:
            # An interruption may have come between this and noting it.
            with contextlib.suppress(ObjectMissingError):
                job.installation.store.delete(each.object_id)
            job.installation.keys.destroy_object_key(each.object_id)
            actions.forget_sent_object(found=each)


def _remark(job: _Job) -> tuple[str, str]:
    """Return what is to be said of a container that was taken in; two empty words where nothing is."""
    if _recording(job) is None:
        return NO_CLIP
    if job.container.reason == NEVER_COMPLETE[0]:
        return NEVER_COMPLETE
    return "", ""
