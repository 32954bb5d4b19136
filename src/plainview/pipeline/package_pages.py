"""The pages of a package that people read: plain HTML without scripts, and a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC
from html import escape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from plainview.formats.canonical import canonical_json
from plainview.formats.leaf import ACTS
from plainview.formats.note import format_vkey
from plainview.formats.times import format_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plainview.evidence.rules import KnownRecording
    from plainview.formats.note import VerifierKey
    from plainview.formats.package import DisclosedLeaf, PackageItem

# What a spreadsheet would run as a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

# Who acts without an account; everybody else is a pseudonym that the department can resolve.
ACTORS = {"system:cli": "the command line"}

_STYLE = """
:root{color-scheme:light dark;--page:#F7F6F3;--surface:#FFFFFF;--ink:#1A1C1E;--soft:#54585D;--rule:#D8D6D0;--link:#0B4F8A}
@media (prefers-color-scheme:dark){:root{--page:#121416;--surface:#1B1E21;--ink:#E7E6E2;--soft:#A7ABB0;
--rule:#363A3F;--link:#86B9EC}}
body{margin:0 auto;padding:16px;max-width:78ch;background:var(--page);color:var(--ink);
font:15px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}
body.wide{max-width:none}
h1{font-size:24px;font-weight:600;margin:0 0 4px}h2{font-size:18px;font-weight:600;margin:16px 0 4px}
p,ol,ul{margin:0 0 8px}ol,ul{padding-left:24px}li{margin-bottom:4px}a{color:var(--link)}.soft{color:var(--soft)}
code,pre{font:13px/1.45 ui-monospace,monospace}code{overflow-wrap:anywhere}
pre{background:var(--surface);border:1px solid var(--rule);border-radius:3px;padding:4px 8px;margin:4px 0 8px;
white-space:pre-wrap;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;background:var(--surface)}
th,td{border:1px solid var(--rule);padding:4px 8px;text-align:left;vertical-align:top}th{font-weight:600}
.name{white-space:nowrap}.words{min-width:20ch}.facts{min-width:64ch;width:60%}
a:focus-visible{outline:3px solid var(--link);outline-offset:2px}
@media print{body{background:#fff;color:#000;max-width:none}}
"""


@dataclass(frozen=True)
class PageFacts:
    """What the pages tell of."""

    items: Sequence[PackageItem]
    leaves: Sequence[DisclosedLeaf]
    keys: Sequence[VerifierKey]
    recordings: Sequence[KnownRecording]
    recipient: str | None
    purpose: str | None
    made_at: datetime
    tool: str


def read_me_first(facts: PageFacts) -> bytes:
    """Return READ-ME-FIRST.html: what this is, how to check it in three steps, what the answers mean."""
    count = len(facts.items)
    keys = "\n".join(escape(format_vkey(key)) for key in facts.keys)
    what = "one original file of footage" if count == 1 else f"{count} original files of footage"
    body = f"""
<h1>Read me first</h1>
<p class="soft">{escape(_made(facts))}</p>
<p>This folder holds {what}, exactly as received, and the proof that nothing in it was altered since. You need not trust
whoever gave it to you: the three steps check it on your own computer, without a network.</p>
<h2>Check it in three steps</h2>
<ol>
<li>Get the department's key from somewhere other than this folder: its web site, a printed certificate, the court.
{_which_keys(facts)}<pre>{keys}</pre></li>
<li>Open a terminal in this folder and type this, with the key you were given in place of KEY. Any Python from 3.8 on
will do; nothing is installed.<pre>python3 verify.py{" --key KEY" * len(facts.keys)}</pre></li>
<li>Read the line that begins with Result. <b>OK</b> means: these are, byte for byte, the files the signed log speaks
of.</li>
</ol>
<h2>What the answers mean</h2>
<p><b>OK</b>: as received. <b>ALTERED</b>: changed since; for footage the checker says which megabyte and which seconds.
<b>MISSING</b>: listed, not here. <b>UNLISTED</b>: here, and nobody vouches for it. <b>UNPROVEN</b>: its proof is absent
or does not fit. <b>SIGNER UNKNOWN</b>: everything fits together, but you have not said whose key you trust.</p>
<h2>What this does not prove</h2>
<p>That the camera saw everything, that its clock was right, or that what it shows means what anyone says it means. It
proves that these files are the ones that were received, when the log says so, and what was done with them since:
<a href="custody.html">the chain of custody</a>.</p>
<h2>What is in it</h2>
<ul>{"".join(_item_row(item, facts) for item in facts.items)}</ul>
"""
    return _page("Read me first", body)


def _which_keys(facts: PageFacts) -> str:
    if len(facts.keys) == 1:
        return "It should be this one, letter for letter:"
    return (
        f"There are {len(facts.keys)}, because a log had to be continued by another. They should be these, letter for "
        "letter:"
    )


def custody_page(facts: PageFacts) -> bytes:
    """Return custody.html: every disclosed act, oldest first."""
    rows = "".join(_leaf_row(leaf) for leaf in facts.leaves)
    body = f"""
<h1>Chain of custody</h1>
<p class="soft">{escape(_made(facts))}</p>
<p>Every act on these recordings that the custody log holds, oldest first. Each has its number in the log and a proof in
the folder <code>proof</code>; verify.py checks them all.</p>
<div class="scroll"><table>
<tr><th>No.</th><th>When</th><th>What</th><th>On</th><th>By</th><th>Details</th></tr>{rows}</table></div>
"""
    return _page("Chain of custody", body, is_wide=True)


def custody_csv(facts: PageFacts) -> bytes:
    """Return custody.csv; no cell can be taken for a formula."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["index", "at", "act", "object", "actor", "outcome", "why", "facts", "detail"])
    for disclosed in facts.leaves:
        leaf = disclosed.leaf
        detail = "" if disclosed.detail is None else canonical_json(disclosed.detail).decode()
        cells = [
            str(leaf.seq),
            format_at(leaf.at),
            leaf.act,
            leaf.object,
            leaf.actor,
            leaf.outcome,
            leaf.why or "",
        ]
        table.writerow(
            [_harmless(cell) for cell in [*cells, canonical_json(dict(leaf.facts)).decode(), detail]]
        )
    return text.getvalue().encode("utf-8")


def bag_info(facts: PageFacts) -> bytes:
    """Return bag-info.txt.

    Source: RFC 8493 section 2.2.2.
    """
    total = sum(item.size_bytes for item in facts.items)
    lines = [
        f"Bagging-Date: {facts.made_at.date().isoformat()}",
        f"Bag-Software-Agent: {facts.tool}",
        f"Payload-Oxum: {total}.{len(facts.items)}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _made(facts: PageFacts) -> str:
    words = [f"Made {_shown_time(facts.made_at.astimezone(UTC))} by {facts.tool}"]
    if facts.recipient:
        words.append(f"for {facts.recipient}")
    if facts.purpose:
        words.append(f"purpose: {facts.purpose}")
    return ", ".join(words) + "."


def _item_row(item: PackageItem, facts: PageFacts) -> str:
    recording = next(r for r in facts.recordings if r.identifier == item.recording)
    return (
        f'<li><a href="{escape(item.path)}">{escape(item.recording)}</a>, made {escape(_when(recording))}<br>'
        f'<span class="soft">{item.size_bytes:,} bytes; SHA-256</span> <code>{item.sha256}</code></li>'
    )


def _when(recording: KnownRecording) -> str:
    times = recording.times
    if times.started_at is None:
        return "at a time the file does not say"
    local = times.started_at.astimezone(ZoneInfo(times.zone))
    return f"{_shown_time(local)}, by the {times.clock_source}'s own clock"


def _shown_time(at: datetime) -> str:
    offset = at.strftime("%z")
    zone = "UTC" if offset == "+0000" else f"{at.strftime('%Z')} (UTC{int(offset[:3]):+d}:{offset[3:]})"
    return f"{at.day} {at.strftime('%b %Y %H:%M:%S')}.{at.microsecond // 100_000} {zone}"


def _leaf_row(disclosed: DisclosedLeaf) -> str:
    leaf = disclosed.leaf
    pairs = [*(disclosed.detail or {}).items(), *leaf.facts.items()]
    details = "<br>".join(
        f"{escape(name.replace('_', ' '))}: <code>{escape(str(value))}</code>" for name, value in pairs
    )
    return (
        f'<tr><td>{leaf.seq}</td><td class="name">{_shown_time(leaf.at)}</td>'
        f'<td class="words">{escape(ACTS[leaf.act])}</td><td class="name">{escape(leaf.object)}</td>'
        f'<td class="name">{escape(ACTORS.get(leaf.actor, leaf.actor))}</td><td class="facts">{details}</td></tr>'
    )


def _page(title: str, body: str, *, is_wide: bool = False) -> bytes:
    wide = ' class="wide"' if is_wide else ""
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head><body{wide}>{body}</body></html>\n"
    )
    return page.encode("utf-8")
