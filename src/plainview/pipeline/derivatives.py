"""Make what a recording's page shows of an original, in the jail, and keep it encrypted."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from plainview.evidence.step_actions import DerivativeFacts
from plainview.media.copy_writer import SETTINGS as COPY_SETTINGS
from plainview.media.derived import derived_from_json, derived_to_json
from plainview.media.errors import MalformedDerivedError
from plainview.pipeline.derived_store import discard
from plainview.pipeline.examine import TOOL
from plainview.pipeline.jailed_steps import KINDS
from plainview.pipeline.workplace import StepFailedError, check_worked
from plainview.service.errors import JailOutputError
from plainview.service.jail import Limits
from plainview.service.jail_output import Output
from plainview.vault.derivative import DerivativeWriter, StoredDerivative
from plainview.vault.errors import WriteOrderError

if TYPE_CHECKING:
    from plainview.evidence.rules import ClaimedStep
    from plainview.media.derived import Derived
    from plainview.pipeline.workplace import Attempt, Workplace
    from plainview.vault.local import LocalStore

TASK: Final = "plainview.pipeline.jailed_steps:derive_sealed"
# A minute of 4K takes a slow processor several minutes; a copy of the noisiest picture has less than 4 MB a second.
CPU_S_A_S: Final = 30
WALL_S_A_S: Final = 90
COPY_BYTES_A_S: Final = 4_000_000
LEAST_CPU_S: Final = 600
LEAST_COPY_BYTES: Final = 64 << 20
SMALL_BYTES: Final = 64 << 20
# What is kept in memory until the end: the index of a day without a break.
MOST_ROOM_BYTES: Final = 256 << 20


def make_derivatives(workplace: Workplace, claim: ClaimedStep, attempt: Attempt) -> list[DerivativeFacts]:
    """Make and store everything of one original; no row names it yet.

    Raises:
        StepFailedError: nothing can be made of it.
        JailError, VaultError: this machine cannot work.
        StoppedError, LostStepError: as the attempt says. Whatever is raised, nothing stays in the store.
    """
    installation, object_id = workplace.installation, claim.original.facts.object_id
    key = installation.keys.object_key(object_id)
    with contextlib.ExitStack() as closing:
        sinks = _Sinks(workplace.derived, key, closing)
        fd = installation.store.open_fd(object_id)
        try:
            result = workplace.jail.run(
                TASK,
                fd=fd,
                argument={"key": key, "threads": workplace.threads},
                limits=limits_for(claim.duration_ms),
                output=Output(
                    limits_bytes=(copy_limit_bytes(claim.duration_ms), SMALL_BYTES, SMALL_BYTES),
                    on_room=sinks.leave_room,
                    on_bytes=sinks.put,
                    on_progress=attempt.progress,
                    on_tick=attempt.tick,
                ),
            )
        finally:
            os.close(fd)
        check_worked(result)
        made, reason = _read(result.value)
        sinks.check_sizes(made)
        return _keep(workplace.derived, sinks, made, reason)


def limits_for(duration_ms: int) -> Limits:
    """Return what the jail may use for a recording of this length."""
    seconds = -(-duration_ms // 1000)
    cpu_s = LEAST_CPU_S + CPU_S_A_S * seconds
    return Limits(
        memory_bytes=2 << 30,
        cpu_s=cpu_s,
        wall_s=float(2 * LEAST_CPU_S + WALL_S_A_S * seconds),
        output_bytes=4 << 20,
    )


def copy_limit_bytes(duration_ms: int) -> int:
    """Return how long a viewing copy may become."""
    return LEAST_COPY_BYTES + COPY_BYTES_A_S * -(-duration_ms // 1000)


class _Sinks:
    """Encrypts what the task writes, each output into an object of its own."""

    def __init__(self, store: LocalStore, key: bytes, closing: contextlib.ExitStack) -> None:
        self._store, self._key, self._closing = store, key, closing
        self.writers: dict[str, DerivativeWriter] = {}
        self._ends = dict.fromkeys(KINDS, 0)

    def leave_room(self, number: int, length: int) -> None:
        if length > MOST_ROOM_BYTES:
            raise JailOutputError(f"it asked for room for {length} bytes", is_too_much=True)
        self._writer(KINDS[number]).leave_room(length)

    def put(self, number: int, offset: int, data: memoryview) -> None:
        kind = KINDS[number]
        try:
            self._writer(kind).write_at(offset, data)
        except WriteOrderError as error:
            raise JailOutputError(str(error)) from error
        self._ends[kind] = max(self._ends[kind], offset + len(data))

    def check_sizes(self, made: Derived) -> None:
        """Raise unless what is said to have been made is what was written."""
        said = {kind: None if (part := getattr(made, kind)) is None else part.size_bytes for kind in KINDS}
        written = {kind: self._ends[kind] if kind in self.writers else None for kind in KINDS}
        if said != written:
            raise _nonsense(f"said {said}, wrote {written}")

    def _writer(self, kind: str) -> DerivativeWriter:
        if kind not in self.writers:
            self.writers[kind] = self._closing.enter_context(DerivativeWriter(self._store, self._key))
        return self.writers[kind]


def _read(value: Any) -> tuple[Derived, str | None]:
    match value:
        case {"reason": None | str() as reason, "derived": derived, **others} if not others:
            try:
                return derived_from_json(derived), reason and reason[:32]
            except MalformedDerivedError as error:
                raise _nonsense(str(error)) from error
    raise _nonsense("unknown fields")


def _nonsense(problem: str) -> StepFailedError:
    return StepFailedError(
        "decoder_stopped", f"The decoder gave an answer that it would not give ({problem})."
    )


def _keep(store: LocalStore, sinks: _Sinks, made: Derived, reason: str | None) -> list[DerivativeFacts]:
    """Make every object durable, or none."""
    stored: list[tuple[str, StoredDerivative]] = []
    try:
        for kind, writer in sinks.writers.items():
            stored.append((kind, writer.finish()))
    except BaseException:
        discard(store, [each.object_id for _, each in stored])
        raise
    plain = derived_to_json(made)
    return [
        DerivativeFacts(
            kind=kind,
            tool=TOOL,
            settings=dict(COPY_SETTINGS) if kind == "viewing_copy" else {},
            facts={**plain[kind], **({"reason": reason} if kind == "viewing_copy" else {})},
            **vars(each),
        )
        for kind, each in stored
    ]
