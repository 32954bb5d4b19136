"""Whoever sends triggers: a key in a file of its own, made once."""

import datetime as dt

import pytest

from plainview.camera.events import Trigger
from plainview.camera.sender import SenderKeyError, make_sender, open_sender
from plainview.camera.triggers import Ear, make_trigger

AT = dt.datetime(2026, 3, 15, 6, 51, 40, tzinfo=dt.UTC)
NAME = "car.example.org/12A"


def test_what_a_kept_key_signs_is_obeyed(tmp_path):
    made = make_sender(tmp_path / "key", name=NAME)
    sender = open_sender(tmp_path / "key")
    message = make_trigger("light_bar", sender=NAME, at=AT, identifier="0" * 16, sign_note=sender.sign_note)
    assert isinstance(Ear([made.key]).judge(message, at=AT, mono_ms=0), Trigger)
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_a_key_is_not_replaced(tmp_path):
    make_sender(tmp_path / "key", name=NAME)
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(SenderKeyError, match="already"):
        make_sender(tmp_path / "key", name=NAME)
    assert (tmp_path / "key").read_bytes() == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sender":"a","private_key":"00"}'])
def test_what_is_no_key_is_refused(tmp_path, text):
    (tmp_path / "key").write_text(text)
    with pytest.raises(SenderKeyError, match="not a sender's key"):
        open_sender(tmp_path / "key")


def test_a_missing_key_says_how_to_make_one(tmp_path):
    with pytest.raises(SenderKeyError, match="--sender NAME"):
        open_sender(tmp_path / "key")
