"""What a camera hears: each sound late by its distance, through the camera's own clock."""

import numpy as np
import pytest

from plainview.demo import mix, noises, speech
from plainview.demo.sound import RATE_HZ


def listener(*, at=(0.0, 0.0), starts_s=0.0, rate=1.0):
    return mix.Listener(lambda _: at, 0.3, starts_s, rate, lambda _a, _b: 1.0, 0.0)


def click(at_s, where):
    return mix.Source(at_s, np.concatenate([np.ones(8), np.zeros(2000)]), 3.0, lambda _: where)


def loudest_s(sound):
    return np.abs(sound).argmax() / RATE_HZ


@pytest.mark.parametrize("metres", [1.0, 34.3])
def test_a_sound_is_late_by_its_distance(metres):
    sound = mix.hear(listener(), [click(0.5, (metres, 0.0))], seed=1, seconds=1.0)
    assert loudest_s(sound) == pytest.approx(0.5 + metres / 343, abs=2e-4)


def test_a_fast_clock_puts_a_sound_later_in_the_file():
    fast = mix.hear(listener(rate=1.01), [click(1.5, (1.0, 0.0))], seed=1, seconds=2.0)
    assert loudest_s(fast) == pytest.approx((1.5 + 1 / 343) * 1.01, abs=3e-4)


def test_what_is_further_away_is_quieter():
    near, far = (
        np.abs(mix.hear(listener(), [click(0.2, (metres, 0.0))], seed=1, seconds=0.5)).max()
        for metres in (4, 40)
    )
    assert near > 3 * far


def test_a_piece_from_the_middle_of_a_sound_is_heard():
    long = mix.Source(0.0, np.sin(np.arange(5 * RATE_HZ) * 0.1), 0.5, lambda _: (1.0, 0.0))
    sound = mix.hear(listener(starts_s=2.0), [long], seed=1, seconds=0.5)
    assert sound.std() > 0.2


def test_two_cameras_have_noise_of_their_own():
    first, second = (mix.hear(listener(), [], seed=seed, seconds=0.5) for seed in (1, 2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.3


@pytest.mark.parametrize("kind", noises.KINDS)
def test_every_noise_sounds_and_none_is_deafening(kind):
    made = noises.make(kind, np.random.default_rng(3), 2.0)
    assert 0.005 < np.abs(made).max() < 3
    assert np.isfinite(made).all()


def test_a_radio_voice_keeps_to_the_narrow_band():
    rng = np.random.default_rng(4)
    aired = noises.radio_voice(rng, rng.normal(0, 0.3, RATE_HZ).astype(np.float32))
    spectrum = np.abs(np.fft.rfft(aired)) ** 2
    hz = np.fft.rfftfreq(len(aired), 1 / RATE_HZ)
    assert spectrum[(hz < 200) | (hz > 9000)].sum() < 0.05 * spectrum.sum()


def test_without_a_voice_tones_keep_the_words_and_their_times(monkeypatch):
    monkeypatch.setattr(speech, "_library", lambda: None)
    speech.say.cache_clear()
    said = speech.say("Hands up! Now.", "en-us+m3", 40, 165)
    speech.say.cache_clear()
    assert [word.text for word in said.words] == ["Hands", "up!", "Now."]
    assert not said.synthetic
    assert np.abs(said.samples).max() == pytest.approx(1)
    assert said.words[-1].to_s < len(said.samples) / RATE_HZ


@pytest.mark.skipif(not speech.has_voice(), reason="espeakng-loader is not installed")
def test_a_voice_that_does_not_exist_is_an_error_and_not_another_voice():
    with pytest.raises(speech.SpeechError, match="use the voice nobody"):
        speech.say("Hello.", "nobody", 40, 165)


@pytest.mark.skipif(not speech.has_voice(), reason="espeakng-loader is not installed")
def test_a_line_sounds_the_same_whatever_was_said_before():
    first = speech.say("Six fish passed this pier.", "en-us+f2", 52, 165)
    speech.say.cache_clear()
    speech.say("Something else. Stop!", "en-us+m3", 38, 170)
    again = speech.say("Six fish passed this pier.", "en-us+f2", 52, 165)
    assert np.array_equal(first.samples, again.samples)


@pytest.mark.skipif(not speech.has_voice(), reason="espeakng-loader is not installed")
def test_words_are_timed_by_the_voice():
    said = speech.say("Stop! Police.", "en-us+m3", 40, 165)
    assert said.synthetic
    assert said.words[0].from_s < 0.1
    assert 0.2 < said.words[1].from_s < 1.2
