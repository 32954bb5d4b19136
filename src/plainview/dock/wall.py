"""The pages of the dock's wall and check-out kiosk, as HTML: pure, from what is known to what is shown."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from plainview.dock.words import say_bay, say_camera

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plainview.dock.server import CameraOnWall
    from plainview.dock.words import Bay

REFRESH_S = 2
# After a camera was given the kiosk is the next person's.
KIOSK_RESET_S = 8


def wall_page(name: str, bays: Sequence[Bay], overdue: Sequence[CameraOnWall]) -> str:
    """Show every bay, and the cameras that should be here and are not."""
    rows = "".join(_row(bay) for bay in bays)
    safe = sum(bay.is_safe for bay in bays)
    body = (
        f"<h1>Dock {escape(name)}: {safe} of {len(bays)} safe to take</h1>"
        + (
            f"<ul>{rows}</ul>"
            if bays
            else "<p>No camera is here. Put one in; nothing needs to be pressed.</p>"
        )
        + _overdue(overdue)
        + '<p><a href="/checkout">Take a camera</a></p>'
    )
    return _page(f"Dock {name}", body, refresh_s=REFRESH_S, refresh_to="/")


def _row(bay: Bay) -> str:
    words = say_bay(bay)
    problems = "".join(f'<p class="problem">{escape(text)}</p>' for text in words.problems[:3])
    more = len(words.problems) - 3
    if more > 0:
        problems += f'<p class="problem">And {more} more.</p>'
    return (
        f'<li class="bay is-{words.shape}"><span class="shape" aria-hidden="true"></span>'
        f'<div><div class="camera">{escape(say_camera(bay.make, bay.model, bay.serial))}</div>'
        f'<div class="wearer">{escape(bay.wearer or "nobody has it")}</div></div>'
        f'<div class="what"><div class="headline"><span>{escape(words.headline)}</span></div>'
        f'<div class="line">{escape(words.line)}</div></div>{problems}</li>'
    )


def _overdue(cameras: Sequence[CameraOnWall]) -> str:
    if not cameras:
        return ""
    names = "".join(
        f"<li>{escape(say_camera(camera.make, '', camera.serial))}"
        + (f", {escape(camera.assigned)}" if camera.assigned else "")
        + "</li>"
        for camera in cameras
    )
    return f"<h2>Overdue: not docked when they should have been</h2><ul>{names}</ul>"


def badge_page(problem: str = "") -> str:
    """Ask whose badge it is; a scanner types it and presses Enter."""
    said = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    body = (
        f"<h1>Take a camera</h1>{said}"
        '<form method="post" action="/checkout" autocomplete="off"><label for="badge">Scan or type your badge</label>'
        '<input id="badge" name="badge" required autofocus maxlength="64">'
        '<button class="primary">Go on</button></form><p><a href="/">Back to the wall</a></p>'
    )
    return _page("Take a camera", body)


def choice_page(badge: str, bays: Sequence[Bay]) -> str:
    """Offer the cameras that are safe to take, each as one button."""
    ready = [bay for bay in bays if bay.is_safe and bay.serial]
    buttons = "".join(_choice(badge, bay, _offer(bay)) for bay in ready)
    if not ready:
        buttons = "<p>No camera is safe to take yet. The wall says when one is.</p>"
    body = (
        f'<h1>Badge {escape(badge)}: which camera?</h1>{buttons}<p><a href="/checkout">Another badge</a></p>'
    )
    return _page("Which camera?", body, refresh_s=60, refresh_to="/checkout")


def _offer(bay: Bay) -> str:
    parts = [say_camera(bay.make, bay.model, bay.serial)]
    parts += [f"battery {bay.battery_percent}%"] if bay.battery_percent is not None else []
    parts += [f"now {bay.wearer}"] if bay.wearer else []
    return ", ".join(parts)


def _choice(badge: str, bay: Bay, text: str, *, is_sure: bool = False) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (("badge", badge), ("bay", bay.key), ("sure", "yes" if is_sure else ""))
    )
    return f'<form method="post" action="/checkout">{hidden}<button>{escape(text)}</button></form>'


def sure_page(badge: str, bay: Bay, why: str) -> str:
    """Ask once more where the camera is somebody else's today."""
    body = (
        f'<h1>{escape(say_camera(bay.make, bay.model, bay.serial))}</h1><p role="alert">{escape(why)}</p>'
        + _choice(badge, bay, "Take it all the same", is_sure=True)
        + '<p><a href="/checkout">Take another</a></p>'
    )
    return _page("Somebody else has it", body, refresh_s=60, refresh_to="/checkout")


def taken_page(bay: Bay, assigned: str) -> str:
    """Say whose camera it is now."""
    body = (
        f"<h1>{escape(say_camera(bay.make, bay.model, bay.serial))}</h1>"
        f'<p class="headline" role="status">Now {escape(assigned)}</p><p><a href="/checkout">Next</a></p>'
    )
    return _page("Taken", body, refresh_s=KIOSK_RESET_S, refresh_to="/checkout")


def _page(title: str, body: str, *, refresh_s: int = 0, refresh_to: str = "") -> str:
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}; url={refresh_to}">' if refresh_s else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'{refresh}<title>{escape(title)}</title><link rel="stylesheet" href="/wall.css"></head>'
        f"<body><main>{body}</main></body></html>"
    )
