"""What the system asks of a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from plainview.accounts.name_queries import names_of
from plainview.accounts.rules import decide_place
from plainview.evidence.camera_actions import about_device, admit_camera, refuse_camera
from plainview.evidence.camera_queries import waiting_keys
from plainview.evidence.capture_queries import devices_named
from plainview.evidence.destination_queries import get_container
from plainview.evidence.errors import NotWaitingError
from plainview.evidence.quarantine_queries import KeptFile, kept_files_about
from plainview.evidence.step_actions import answer_parked_step
from plainview.tasks.actions import close_task
from plainview.tasks.errors import NoSuchTaskError, TaskClosedError, UnknownAnswerError
from plainview.tasks.queries import access_task, done_tasks, open_tasks
from plainview.tasks.rules import KINDS, KnownTask, check_answer, kind_named
from plainview.web import words
from plainview.web.acting import actor_of
from plainview.web.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.http import HttpResponse

    from plainview.custody.record import Actor
    from plainview.evidence.capture_queries import KnownDevice
    from plainview.web.viewer import Request

# What camera actions call a camera, and one of its journals: device:<pseudonym>, and what follows a slash.
DEVICE = re.compile(r"device:([0-9a-f]{16})(?:/([0-9a-f-]{1,24}))?\Z", re.ASCII)
CONTAINER = re.compile(r"container:([0-9]{1,18})\Z", re.ASCII)
# More than a person answers at a sitting, and few enough that the page stays light.
SHOWN = 100
# Who comes for recordings lands there; everyone else on what is asked of them.
COME_FOR_RECORDINGS = frozenset({"investigator"})


@dataclass(frozen=True)
class Asked:
    """A task as its row shows it.

    Attributes:
        task: as it is known.
        question: in words.
        about: what it is about, in words.
        address: where that is shown; empty where it is shown nowhere.
        answers: code and words of each button.
        answer: in words what was answered; empty while it is open.
        by: who answered; empty while it is open.
    """

    task: KnownTask
    question: str
    about: str
    address: str
    answers: tuple[tuple[str, str], ...]
    answer: str
    by: str


@guarded("tasks.read")
@require_safe
def home(request: Request) -> HttpResponse:
    """Lead everyone to what they come for."""
    viewer = request.viewer
    comes_for_recordings = bool(viewer.all_roles & COME_FOR_RECORDINGS)
    return redirect(
        "recordings" if comes_for_recordings and decide_place(viewer, "recordings.list") else "to_do"
    )


@guarded("tasks.read")
@require_safe
def to_do(request: Request) -> HttpResponse:
    """Show what is asked of this person, and what was answered within a week."""
    asked = open_tasks(viewer=request.viewer)
    closed = done_tasks(viewer=request.viewer, now=request.now)
    names = names_of(task.closed_by for task in closed)
    abouts = [task.about for task in (*asked, *closed)]
    files = kept_files_about(viewer=request.viewer, abouts=abouts)
    cameras = devices_named(match[1] for about in abouts if (match := DEVICE.match(about)))
    return render(
        request,
        "web/to_do.html",
        {
            "asked": [_asked(task, files, cameras, names) for task in asked[:SHOWN]],
            "asked_count": len(asked),
            "closed": [_asked(task, files, cameras, names) for task in closed[:SHOWN]],
            "closed_count": len(closed),
            "may_read_quarantine": decide_place(request.viewer, "quarantine.read"),
            "now": request.now,
        },
    )


@guarded("tasks.read")
@require_POST
def answer(request: Request, key: int) -> HttpResponse:
    """Answer a task."""
    given = request.POST.get("answer", "")
    asked: dict[str, Any] = {
        "answer": given,
        "viewer": request.viewer,
        "actor": actor_of(request),
        "now": request.now,
    }
    try:
        task = access_task(viewer=request.viewer, key=key)
        if task.kind == "parked_step":
            answer_parked_step(task=key, **asked)
        elif task.kind == "camera_request":
            _answer_camera(task, given, actor=asked["actor"], now=request.now)
        else:
            close_task(key=key, **asked)
    except NoSuchTaskError as error:
        raise Http404(str(error)) from error
    except TaskClosedError:
        messages.warning(
            request, "Somebody answered this before you. Their answer stands; yours changed nothing."
        )
    except UnknownAnswerError:
        messages.warning(
            request, "That is not one of the answers. Nothing was changed; choose one of the buttons."
        )
    except CameraChangedError:
        messages.warning(
            request,
            "The camera does not wait with these digits any more. Nothing was changed; look at its page.",
        )
    else:
        messages.success(request, f"Answered: {kind_named(task.kind).answers[given]}.")
    return redirect("to_do")


class CameraChangedError(Exception):
    """A camera does not ask any more with the key that a task was about."""


def _answer_camera(task: KnownTask, given: str, *, actor: Actor, now: datetime) -> None:
    """Admit or refuse the key that a task is about, which closes the task.

    Raises:
        TaskClosedError: somebody answered it already.
        UnknownAnswerError: it cannot be answered so.
        CameraChangedError: no key waits whose digits the task showed.
    """
    if task.closed_at is not None:
        raise TaskClosedError(task.key, task.answer)
    check_answer(task.kind, given)
    # What was compared are the digits that stood in the task.
    found = [
        key
        for key in waiting_keys()
        if about_device(key.device) == task.about and key.fingerprint in task.why
    ]
    if not found:
        raise CameraChangedError
    try:
        if given == "admitted":
            admit_camera(key=found[0].key, fingerprint=found[0].fingerprint, actor=actor, now=now)
        else:
            refuse_camera(key=found[0].key, reason="", actor=actor, now=now)
    except NotWaitingError as error:
        raise CameraChangedError from error


def _asked(
    task: KnownTask,
    files: Mapping[str, KeptFile],
    cameras: Mapping[str, KnownDevice],
    names: Mapping[str, str],
) -> Asked:
    kind = KINDS[task.kind]
    about, address = _about(task, files, cameras)
    return Asked(
        task=task,
        question=kind.question,
        about=about,
        address=address,
        answers=tuple(kind.answers.items()),
        answer=kind.answers.get(task.answer, "Withdrawn: it no longer needs an answer")
        if task.answer
        else "",
        by=names.get(task.closed_by, "the command line" if task.closed_by else ""),
    )


def _about(
    task: KnownTask, files: Mapping[str, KeptFile], cameras: Mapping[str, KnownDevice]
) -> tuple[str, str]:
    """Return what a task is about in words, and where it is shown."""
    device = DEVICE.match(task.about)
    if device is not None and device[1] in cameras:
        return _about_camera(cameras[device[1]], device[2] or "")
    if task.about in files:
        kept = files[task.about]
        return kept.offered_name, f"{reverse('quarantine')}#{kept.object_id}"
    if task.about.startswith("R-"):
        address = reverse("recording", args=[task.about])
        if task.moment_ms is None:
            return task.about, address
        return (
            f"{task.about} at {words.format_position(task.moment_ms)}",
            f"{address}?t={task.moment_ms / 1000:g}",
        )
    container = CONTAINER.match(task.about)
    known = None if container is None else get_container(int(container[1]))
    return (task.about, "") if known is None else (f"{known.destination.name}, container {known.name}", "")


def _about_camera(camera: KnownDevice, journal: str) -> tuple[str, str]:
    """Return a camera, or one journal of it by its number or id, in words, and where the camera is shown."""
    address = reverse("camera", args=[camera.pseudonym])
    said = f"{camera.make} {camera.serial}"
    if not journal:
        return said, address
    return (f"{said}, number {int(journal)}" if journal.isdigit() else f"{said}, journal {journal}"), address
