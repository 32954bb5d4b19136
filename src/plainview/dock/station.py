"""The dock itself: looks for cameras, gives each a bay and a thread, and lets go of those that were taken."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from plainview.dock.errors import CameraError, CameraGoneError, ServerError
from plainview.dock.pace import StoppedError
from plainview.dock.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plainview.dock.find import Finder
    from plainview.dock.home import Digests
    from plainview.dock.pace import Pace
    from plainview.dock.server import Server
    from plainview.dock.source import Source
    from plainview.dock.words import Bay
    from plainview.formats.note import VerifierKey

LOOK_S = 1.0
# How often a camera that is done is asked whether it is there, whether it has anything new, and given fresh orders.
THERE_S, NEWS_S, ORDERS_S = 3.0, 30.0, 600.0
# A camera that cannot be taken in just now is tried again.
AGAIN_S = 30.0
# Somebody who took a camera too soon is told so for so long.
GONE_SHOWN_S = 3600.0
# A camera that was given to somebody is left alone until it was away once, or for so long.
GIVEN_S = 1800.0


class SameCameraError(Exception):
    """The camera is in another bay already: it was found in two ways."""


class Station:
    """All bays of one dock.

    Attributes:
        name: what the department calls the dock; for the wall.
    """

    def __init__(
        self,
        *,
        name: str,
        connect: Callable[[], Server],
        log_keys: Sequence[VerifierKey],
        finders: Sequence[Finder],
        pace: Pace,
        digests: Digests,
    ) -> None:
        self.name = name
        self._connect, self._log_keys = connect, tuple(log_keys)
        self._finders, self._pace, self._digests = tuple(finders), pace, digests
        self._lock = threading.Lock()
        self._bays: dict[str, Bay] = {}
        self._gone_s: dict[str, float] = {}
        self._given_s: dict[str, float] = {}
        self._threads: dict[str, threading.Thread] = {}

    def bays(self) -> list[Bay]:
        """Return every bay as it stands, by camera."""
        with self._lock:
            found = [bay for bay in self._bays.values() if bay.make or bay.serial or bay.trouble]
        return sorted(found, key=lambda bay: (bay.make, bay.serial, bay.key))

    def run(self, on_look: Callable[[list[Bay]], None] = lambda _bays: None) -> None:
        """Look for cameras until the pace is stopped."""
        try:
            while True:
                self.look()
                on_look(self.bays())
                self._pace.wait(LOOK_S)
        except StoppedError:
            pass
        finally:
            self._pace.stop()
            for finder in self._finders:
                finder.close()
            for thread in list(self._threads.values()):
                thread.join(10)

    def look(self) -> None:
        """Give a bay to each camera that was put in since."""
        now_s = time.monotonic()
        found = {key: opening for finder in self._finders for key, opening in finder.look().items()}
        with self._lock:
            for key, gone_s in list(self._gone_s.items()):
                if now_s - gone_s > GONE_SHOWN_S:
                    self._forget(key)
            for key, thread in list(self._threads.items()):
                if not thread.is_alive():
                    del self._threads[key]
            self._given_s = {
                key: given_s
                for key, given_s in self._given_s.items()
                if key in found and now_s - given_s < GIVEN_S
            }
            fresh = [key for key in found if key not in self._threads and key not in self._given_s]
            for key in fresh:
                thread = threading.Thread(
                    target=self._serve, args=(key, found[key]), name=f"bay {key}", daemon=True
                )
                self._threads[key] = thread
        for key in fresh:
            self._threads[key].start()

    def give(self, key: str) -> None:
        """Let a camera go, because somebody has checked it out; its own thread tells it so."""
        with self._lock:
            self._given_s[key] = time.monotonic()

    def _is_given(self, key: str) -> bool:
        with self._lock:
            return key in self._given_s

    # --- one bay, in its thread

    def _serve(self, key: str, opening: Callable[[], Source]) -> None:
        session = Session(
            opening(), self._connect(), self._log_keys, self._pace, self._digests, on_change=self._show
        )
        try:
            self._attend(key, session)
        except StoppedError:
            pass
        except SameCameraError:
            with self._lock:
                self._given_s[key] = time.monotonic()
        except CameraGoneError:
            self._take_out(key, session)
        except (CameraError, ServerError) as error:
            self._show(replace(session.bay, trouble=str(error)))
            with suppress(StoppedError):
                self._pace.wait(AGAIN_S)
        finally:
            session.close()

    def _attend(self, key: str, session: Session) -> None:
        """Take in what a camera has, and then stay with it."""
        while True:
            session.run()
            began_s = asked_s = time.monotonic()
            missed = 0
            while time.monotonic() - began_s < ORDERS_S:
                self._pace.wait(THERE_S)
                if self._is_given(key):
                    session.release()
                    with self._lock:
                        self._forget(key)
                    return
                missed = 0 if session.source.is_there() else missed + 1
                if missed > 1:
                    raise CameraGoneError("The camera does not answer any more.")
                if time.monotonic() - asked_s >= NEWS_S and not missed:
                    asked_s = time.monotonic()
                    if session.has_news():
                        break

    def _take_out(self, key: str, session: Session) -> None:
        bay = session.bay
        if not (bay.make or bay.serial):
            # Nobody was there; what is said of who was there before stays.
            return
        session.end()
        with self._lock:
            if bay.is_safe:
                self._forget(key)
            else:
                self._bays[key] = replace(bay, is_gone=True, trouble="")
                self._gone_s[key] = time.monotonic()

    def _forget(self, key: str) -> None:
        self._bays.pop(key, None)
        self._gone_s.pop(key, None)

    def _show(self, bay: Bay) -> None:
        with self._lock:
            if any(self._is_same(bay, other) for other in self._bays.values()):
                raise SameCameraError(f"{bay.serial} is at this dock already.")
            self._bays[bay.key] = bay
            self._gone_s.pop(bay.key, None)
            # Taken out of one place and put into another: it is the same camera.
            for key in list(self._gone_s):
                other = self._bays[key]
                if key != bay.key and (other.make, other.serial) == (bay.make, bay.serial):
                    self._forget(key)

    def _is_same(self, bay: Bay, other: Bay) -> bool:
        is_here = other.key != bay.key and other.key not in self._gone_s and other.key in self._threads
        return is_here and bool(bay.serial) and (other.make, other.serial) == (bay.make, bay.serial)
