"""An engine that hears by the clock: a word every quarter of a second, so that its times can be told in advance."""

import os
import time

from plainview.media.errors import ModelError
from plainview.media.listening import HeardWord

WORD_S = 0.25


class Scribe:
    """Implements plainview.media.listening.Engine.

    Attributes:
        heard: how many samples each call of hear() was given, over all recordings.
    """

    name, model, version, notice = "scribe", "clock", "1", "machine"
    settings = {"word_s": WORD_S}  # noqa: RUF012 - never changed

    def __init__(self, batch_samples=0):
        self.batch_samples = batch_samples
        self.heard = []

    def begin(self):
        return _Listener(self)


class _Listener:
    language = "en"

    def __init__(self, scribe):
        self._scribe = scribe

    def hear(self, samples):
        self._scribe.heard.append(len(samples))
        count = int(len(samples) / 16_000 / WORD_S)
        return [
            [HeardWord(i * WORD_S, (i + 1) * WORD_S, f" word{i}", 0.5) for i in range(count)],
        ]


class Deaf(Scribe):
    """Makes no words of anything."""

    def begin(self):
        return _DeafListener(self)


class _DeafListener(_Listener):
    def hear(self, samples):
        super().hear(samples)
        return []


# For a process that hears: each is given the folder of models, as find_engine is.


def make_scribe(_models):
    return Scribe()


def make_crash(_models):
    class Crash(Scribe):
        def begin(self):
            os.abort()

    return Crash()


def make_sleeper(_models):
    time.sleep(600)


def make_no_model(models):
    raise ModelError("small", f"Its files are not all in {models.name}.")


def make_babble(_models):
    """An engine that writes where the answer goes, and answers what no transcript is."""
    print("loading")
    return Deaf()


def make_liar(_models):
    engine = Scribe()
    engine.notice = "truth"
    return engine
