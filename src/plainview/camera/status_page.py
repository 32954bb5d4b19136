"""The page a camera shows of itself, to whoever stands before it: plain HTML, no script, readable on a phone."""

from __future__ import annotations

import html
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from plainview.camera.indicator import RHYTHMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plainview.camera.indicator import Colour, Rhythm
    from plainview.camera.recorder import Report

_CSS_COLOURS: Final[Mapping[Colour, str]] = {
    "dark": "#363A3F",
    "green": "#3E9B5F",
    "red": "#D9363E",
    "blue": "#3B82D9",
    "white": "#FFFFFF",
    "amber": "#E0912A",
}
_STYLE: Final = """
:root { color-scheme: light dark; --page: #F7F6F3; --ink: #1A1C1E; --second: #54585D; --rule: #D8D6D0 }
@media (prefers-color-scheme: dark) { :root { --page: #121416; --ink: #E7E6E2; --second: #A7ABB0; --rule: #363A3F } }
body { background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; margin: 16px auto;
  max-width: 40em; padding: 0 16px }
h1 { font-size: 18px; font-weight: 600 }
.light { border: 1px solid var(--rule); border-radius: 50%; display: inline-block; height: 24px;
  margin-right: 12px; vertical-align: middle; width: 24px }
.state { font-size: 24px; font-weight: 600 }
dl { border-top: 1px solid var(--rule); display: grid; grid-template-columns: minmax(8em, 1fr) 2fr; margin: 16px 0 }
dt, dd { border-bottom: 1px solid var(--rule); margin: 0; padding: 8px 0 }
dt, p.meaning { color: var(--second) }
dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
"""
_STATES: Final[Mapping[str, str]] = {
    "off": "Off",
    "buffering": "Ready, not recording",
    "checking": "Recording the check at the start of the shift",
    "recording": "Recording",
    "post": "Recording, after the stop",
    "docked": "In a dock",
    "fault": "Not able to record",
}
_WHY_NOT: Final[Mapping[str, str]] = {
    "storage_full": "The storage is full. Put the camera into a dock.",
    "storage_fault": "The storage failed. Put the camera into a dock and report it.",
    "source_lost": "No picture comes. Check the lens and its cable.",
}
_CLOCKS: Final[Mapping[str, str]] = {
    "unset": "never set; put the camera into a dock",
    "rtc": "its own",
    "ntp": "set over the network",
    "gps": "set by satellite",
    "dock": "set by a dock",
    "simulated": "simulated",
}


def status_page(report: Report, *, camera: str) -> str:
    """Write the page.

    Args:
        report: of the camera, just now.
        camera: its name.
    """
    rhythm = RHYTHMS[report.shown]
    state = _STATES[report.state.mode] + (", muted" if report.state.is_muted else "")
    rows = {
        "The light": rhythm.words,
        "Buffer available": _buffer(report),
        "Free space": f"{report.free_bytes / 1e9:.1f} GB",
        "Recordings since switched on": str(report.recordings),
        "Battery": "unknown" if report.charge_percent is None else f"{report.charge_percent}%",
        "Clock": f"{report.at:%Y-%m-%d %H:%M:%S} UTC, {_CLOCKS[report.clock]}",
    }
    table = "".join(f"<dt>{name}</dt><dd>{html.escape(text)}</dd>\n" for name, text in rows.items())
    meaning = _WHY_NOT.get(report.state.why_not, rhythm.meaning)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="2">
<title>{html.escape(state)} - {html.escape(camera)}</title>
<style>{_STYLE}{_blink(rhythm)}</style>
</head>
<body>
<h1>{html.escape(camera)}</h1>
<p><span class="light" aria-hidden="true"></span><span class="state">{html.escape(state)}</span></p>
<p class="meaning">{html.escape(meaning)}</p>
<dl>
{table}</dl>
</body>
</html>
"""


def _buffer(report: Report) -> str:
    if report.buffer_setting_ms == 0:
        return "none is kept"
    if report.state.is_recording:
        return "in the recording"
    return f"{report.buffer_ms // 1000} s of {report.buffer_setting_ms // 1000} s"


def _blink(rhythm: Rhythm) -> str:
    """Return the rhythm as an animation that jumps from colour to colour."""
    done_ms, frames = 0, ""
    for colour, lasting_ms in rhythm.steps:
        frames += f"{100 * done_ms / rhythm.period_ms:.3f}% {{ background: {_CSS_COLOURS[colour]} }} "
        done_ms += lasting_ms
    last = _CSS_COLOURS[rhythm.steps[-1][0]]
    return (
        f"@keyframes light {{ {frames}100% {{ background: {last} }} }}\n"
        f".light {{ animation: light {rhythm.period_ms}ms step-end infinite; background: {last} }}\n"
    )


class StatusServer(ThreadingHTTPServer):
    """Shows the page at /; call serve_forever in a thread."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], *, camera: str, report: Callable[[], Report]) -> None:
        """Listen on an address; report returns the newest report."""
        self.camera, self.report = camera, report
        super().__init__(address, _Page)


class _Page(BaseHTTPRequestHandler):
    server: StatusServer

    def do_GET(self) -> None:
        if self.path != "/":
            self.send_error(404)
            return
        body = status_page(self.server.report(), camera=self.server.camera).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by http.server
        """Say nothing: a camera has no log of who looked at it."""
