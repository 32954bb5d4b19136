from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from plainview.formats.camera_orders import (
    SETTING_LIMITS,
    CameraSettings,
    format_camera_orders,
    format_camera_request,
    key_fingerprint,
    parse_camera_orders,
    parse_camera_request,
    parse_camera_settings,
)
from plainview.formats.canonical import canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.note import parse_note
from vectors.make_format_examples import example_files

REQUEST = parse_camera_request(parse_note(example_files()["camera-request"].decode()).text)
ORDERS = parse_camera_orders(parse_note(example_files()["camera-orders"].decode()).text)
SETTINGS = asdict(ORDERS.settings)


def test_a_request_reads_back_as_it_was_written() -> None:
    assert parse_camera_request(format_camera_request(REQUEST)) == REQUEST
    assert REQUEST.camera == "cam.example.org/SN42"


def test_orders_read_back_as_they_were_written() -> None:
    assert parse_camera_orders(format_camera_orders(ORDERS)) == ORDERS
    assert ORDERS.settings == CameraSettings()


def test_people_compare_a_key_by_eight_groups_of_four() -> None:
    assert key_fingerprint(bytes(32)) == "6668 7aad f862 bd77 6c8f c18b 8e9f 8e20"


@pytest.mark.parametrize("change", [{"serial": "SN43"}, {"camera": "SN42"}, {"make": "a\nb"}])
def test_a_request_with_a_field_that_cannot_be_is_not_written(change: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        format_camera_request(replace(REQUEST, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"public_key": b"short"},
        {"seal_to": b"short"},
        {"log_keys": ("no key",)},
        {"trigger_keys": ORDERS.log_keys * 257},
        {"department_key": "no key"},
        {"covert_allowed_by": "a\nb"},
    ],
)
def test_orders_with_a_field_that_cannot_be_are_not_written(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        format_camera_orders(replace(ORDERS, **change))


def test_keys_that_are_no_list_are_refused() -> None:
    record = json.loads(format_camera_orders(ORDERS))
    with pytest.raises(FormatError, match="log_keys: expected a list"):
        parse_camera_orders(canonical_json({**record, "log_keys": "none"}).decode() + "\n")


@pytest.mark.parametrize("name", SETTING_LIMITS)
def test_a_setting_outside_its_limits_is_refused(name: str) -> None:
    least, greatest = SETTING_LIMITS[name]
    for value in (least, greatest):
        assert getattr(parse_camera_settings({**SETTINGS, name: value}), name) == value
    for value in (least - 1, greatest + 1, float(least), True, None):
        with pytest.raises(FormatError, match=name):
            parse_camera_settings({**SETTINGS, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("has_buffer_sound", 0), ("worn", "cat"), ("worn", None), ("zone", "a\nb"), ("zone", 1), ("more", 1)],
)
def test_a_setting_of_another_kind_is_refused(name: str, value: Any) -> None:
    with pytest.raises(FormatError, match=name):
        parse_camera_settings({**SETTINGS, name: value})


@pytest.mark.parametrize("text", ["", "\n", "{}", "{}\n", "\ud800\n"])
def test_what_is_neither_request_nor_orders_is_refused(text: str) -> None:
    for parse in (parse_camera_request, parse_camera_orders):
        with pytest.raises(FormatError):
            parse(text)


def test_a_request_is_no_orders() -> None:
    with pytest.raises(FormatError):
        parse_camera_orders(format_camera_request(REQUEST))
