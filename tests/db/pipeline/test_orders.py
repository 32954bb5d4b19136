"""What a department tells its cameras."""

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.note import ED25519, VerifierKey, format_vkey
from plainview.pipeline.orders import TRIGGERS, trigger_vkeys

LIGHT_BAR = format_vkey(VerifierKey("car.example.org/12A", ED25519, bytes(range(32))))


def test_cameras_obey_the_triggers_whose_keys_somebody_put_there(tmp_path):
    assert trigger_vkeys(tmp_path) == ()
    (tmp_path / TRIGGERS).mkdir(parents=True)
    (tmp_path / TRIGGERS / "12a.vkey").write_text(f"{LIGHT_BAR}\n")
    (tmp_path / TRIGGERS / "notes.txt").write_text("not a key")
    assert trigger_vkeys(tmp_path) == (LIGHT_BAR,)


def test_a_file_that_holds_no_key_is_refused(tmp_path):
    (tmp_path / TRIGGERS).mkdir(parents=True)
    (tmp_path / TRIGGERS / "12a.vkey").write_text("the light bar of 12A")
    with pytest.raises(FormatError, match="verifier key"):
        trigger_vkeys(tmp_path)
