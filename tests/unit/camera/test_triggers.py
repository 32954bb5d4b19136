"""Triggers over the air: obeyed from whom the department named, fresh, and once."""

import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.camera.events import RefusedTrigger, Trigger
from plainview.camera.journal import sign_note
from plainview.camera.triggers import FRESH_MS, Ear, make_trigger
from plainview.formats.note import ED25519, VerifierKey

AT = dt.datetime(2026, 3, 15, 6, 51, 40, tzinfo=dt.UTC)
CAR = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\5")
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\6")
NAME = "car.example.org/12A"


def key_of(private, name=NAME):
    return VerifierKey(name, ED25519, private.public_key().public_bytes_raw())


def message(*, private=CAR, name=NAME, at=AT, identifier="5f1c0e7a9b3d2c48", source="light_bar"):
    return make_trigger(
        source,
        sender=name,
        at=at,
        identifier=identifier,
        sign_note=lambda text: sign_note(text, key=key_of(private, name), sign=private.sign),
    )


def ear():
    return Ear([key_of(CAR)], own_name="cam.example.org/SN42")


def test_a_trigger_of_a_known_sender_is_obeyed():
    assert ear().judge(message(), at=AT, mono_ms=7) == Trigger(
        7, "light_bar", {"sender": NAME, "id": "5f1c0e7a9b3d2c48"}
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "malformed"),
        (b"\xff\xfe", "malformed"),
        (message()[:-20], "malformed"),
        (message(name="car.example.org/99"), "unknown_sender"),
        (message(private=STRANGER), "wrong_signature"),
        (message().replace(b"light_bar", b"holster"), "wrong_signature"),
    ],
)
def test_a_false_trigger_is_refused_and_says_why(data, why):
    found = ear().judge(data, at=AT, mono_ms=7)
    assert isinstance(found, RefusedTrigger)
    assert found.facts["why"] == why


@pytest.mark.parametrize(
    ("late_ms", "is_heard"), [(FRESH_MS, True), (FRESH_MS + 1, False), (-FRESH_MS - 1, False)]
)
def test_only_what_is_fresh_by_the_cameras_clock_is_obeyed(late_ms, is_heard):
    found = ear().judge(message(), at=AT + dt.timedelta(milliseconds=late_ms), mono_ms=7)
    assert isinstance(found, Trigger if is_heard else RefusedTrigger)


def test_what_is_heard_again_counts_once_and_another_of_the_same_sender_counts():
    listening = ear()
    assert listening.judge(message(), at=AT, mono_ms=7) is not None
    assert listening.judge(message(), at=AT, mono_ms=3000) is None
    assert listening.judge(message(identifier="0" * 16), at=AT, mono_ms=3000) is not None


def test_what_is_brought_again_later_is_refused():
    listening = ear()
    listening.judge(message(), at=AT, mono_ms=7)
    found = listening.judge(message(), at=AT + dt.timedelta(minutes=5), mono_ms=300_000)
    assert isinstance(found, RefusedTrigger)


def test_a_camera_does_not_hear_itself():
    listening = Ear([key_of(CAR)], own_name=NAME)
    assert listening.judge(message(), at=AT, mono_ms=7) is None


def test_nonsense_fills_no_journal_but_is_counted():
    listening = ear()
    found = [listening.judge(b"nonsense", at=AT, mono_ms=at_ms) for at_ms in range(0, 12_000, 100)]
    said = [each for each in found if each is not None]
    assert [dict(each.facts) for each in said] == [
        {"why": "malformed"},
        {"why": "malformed", "left_out": 99},
    ]
