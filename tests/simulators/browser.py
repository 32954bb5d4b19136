"""A real browser: Debian's chromium, driven as a person would; and pages seen at a phone's width and a desk's."""

import contextlib
import os
import shutil
import time

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing that talks to a maker's hosts, and nothing that needs a screen.
SWITCHES = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]
PHONE = {"width": 360, "height": 780}
DESK = {"width": 1600, "height": 900}
# What a page must be able to show of text against what is behind it: WCAG 2.2, 1.4.3.
CONTRAST = """
() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = c => [0, 1, 2].map(i => c[i] / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("main *, .rail *, .top *")) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility({visibilityProperty: true}) || element.closest("[aria-hidden=true], :disabled, .screen, option, noscript")) continue;
    const ink = light(parse(getComputedStyle(element).color)), page = light(behind(element));
    const ratio = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
    if (ratio < 4.5) poor.push(element.textContent.trim().slice(0, 40) + " " + ratio.toFixed(2));
  }
  return poor;
}
"""


def program():
    """Return where the browser is, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def why_not():
    """Say why browser tests cannot run here, or None."""
    if program() is None:
        return "SKIPPED: no chromium; on Debian: apt-get install chromium"
    return None


@contextlib.contextmanager
def running_browser():
    """Start the browser and yield it."""
    # A user's own sandbox is refused to root in many containers.
    switches = [*SWITCHES, "--no-sandbox"] if os.geteuid() == 0 else SWITCHES
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=switches)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def visiting(browser, address, *, size=DESK, scheme="light", seat=None, complaints=None):
    """Yield a page in a context of its own, entered as somebody of the sample department.

    Args:
        browser: as running_browser() yields it.
        address: of the server.
        size: of the window, in pixels.
        scheme: "light" or "dark".
        seat: a role of the demo, or None to stay outside.
        complaints: a list that gets what the page reports: errors, and whatever the content security policy refused.
    """
    context = browser.new_context(
        base_url=address, viewport=size, color_scheme=scheme, reduced_motion="reduce"
    )
    try:
        page = context.new_page()
        if complaints is not None:
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        if seat is not None:
            page.goto("/enter")
            page.locator(f"button[value={seat}]").click()
        yield page
    finally:
        context.close()


def until(page, expression, *, limit_s=60):
    """Wait until something is true of a page.

    The library's own way of waiting has the page evaluate text, which our content security policy forbids.
    """
    limit = time.monotonic() + limit_s
    while not page.evaluate(expression):
        assert time.monotonic() < limit, f"after {limit_s} s still not: {expression}"
        page.wait_for_timeout(50)
