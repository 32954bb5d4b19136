"""Make everything that a recording's page shows, decoding the recording once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.media.decoding import choose, first_decodable, open_probed
from plainview.media.derived import Derived
from plainview.media.probe import probe
from plainview.media.storyboard import Sheet, make_storyboard
from plainview.media.viewing import make_viewing_copy
from plainview.media.waveform import Peaks, make_waveform

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from plainview.media.facts import Probe


def derive(
    source: BinaryIO,
    *,
    viewing_copy: BinaryIO | None,
    storyboard: BinaryIO | None,
    waveform: BinaryIO | None,
    on_progress: Callable[[float], None] | None = None,
    probed: Probe | None = None,
    threads: int = 1,
) -> Derived:
    """Make what is asked for; what the recording has no picture or no sound for stays None.

    With a viewing copy everything comes from its one decode. Without, the storyboard comes from key pictures
    and the waveform from sound alone, which costs a hundredth.

    Args:
        source: seekable, readable, of any content.
        viewing_copy: see make_viewing_copy; None where the original serves itself.
        storyboard: writable; None where it is not wanted.
        waveform: the same.
        on_progress: called with the share that is done, rising to 1.
        probed: what probe says of source; probed anew where not given.
        threads: for the viewing copy's decoder and encoder.

    Raises:
        UnusableMediaError: nothing in it can be played.
        UnderivableMediaError: too_long, another_file, nothing_decoded or unencodable.
        Exception: whatever reading source or writing a target raises, unchanged.
    """
    probed = probe(source) if probed is None else probed
    if first_decodable(probed, "video") is None:
        storyboard = None
    if first_decodable(probed, "audio") is None:
        waveform = None
    if viewing_copy is None:
        made = Derived(
            viewing_copy=None,
            storyboard=None if storyboard is None else make_storyboard(source, storyboard, probed=probed),
            waveform=None if waveform is None else make_waveform(source, waveform, probed=probed),
        )
        if on_progress is not None:
            on_progress(1.0)
        return made
    sheet = None if storyboard is None else _sheet(source, probed)
    peaks = None if waveform is None else Peaks(probed.duration_ms)
    copy = make_viewing_copy(
        source,
        viewing_copy,
        observers=[observer for observer in (sheet, peaks) if observer is not None],
        probed=probed,
        threads=threads,
        on_progress=on_progress,
    )
    return Derived(
        viewing_copy=copy,
        storyboard=None if sheet is None or storyboard is None else sheet.write(storyboard),
        waveform=None if peaks is None or waveform is None else peaks.write(waveform),
    )


def _sheet(source: BinaryIO, probed: Probe) -> Sheet:
    picture = first_decodable(probed, "video")
    assert picture is not None
    with open_probed(source, probed) as opened:
        (stream,) = choose(opened, picture)
        return Sheet(probed, picture, stream)
