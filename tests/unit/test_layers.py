"""What the import linter cannot see: keys between tables are named by label, which is no import."""

import configparser
import re
from pathlib import Path

import pytest
from django.apps import apps

import plainview

SOURCE = Path(plainview.__file__).parent
LINTER = SOURCE.parents[1] / ".importlinter"


def layers():
    """Return the layers, highest first, each a set of packages that may not import each other."""
    contracts = configparser.ConfigParser()
    contracts.read(LINTER)
    lines = contracts["importlinter:contract:layers"]["layers"].split("\n")
    return [set(re.findall(r"[a-z_]+", line)) for line in lines if line.strip()]


def rank():
    """Return how high each package lies; 0 is the lowest."""
    return {package: height for height, layer in enumerate(reversed(layers())) for package in layer}


def points_up(here, there):
    """Say whether a key from a table of one app to a table of another app points up, or sideways."""
    heights = rank()
    return here != there and heights[here] <= heights[there]


def our_models():
    ours = [config for config in apps.get_app_configs() if config.name.startswith("plainview.")]
    return [model for config in ours for model in config.get_models(include_auto_created=True)]


def keys():
    """Yield (field, holding app, target app) of every key that a table of ours has."""
    for model in our_models():
        for field in model._meta.get_fields():
            if field.concrete and field.is_relation:
                yield field, model._meta.app_label, field.related_model._meta.app_label


def packages():
    return {path.parent.name for path in SOURCE.glob("*/__init__.py")}


def test_every_package_has_its_place_among_the_layers():
    assert packages() <= set(rank())


def test_no_package_stands_in_two_layers():
    assert sum(len(layer) for layer in layers()) == len(rank())


def test_the_app_of_every_model_is_a_package_with_a_place():
    assert {model._meta.app_label for model in our_models()} <= packages() & set(rank())
    assert our_models()


def test_no_key_between_tables_points_up():
    upward = [f"{field} -> {there}" for field, here, there in keys() if points_up(here, there)]
    assert upward == []
    assert any(here != there for _, here, there in keys())


def test_every_key_between_tables_leads_to_a_table_of_ours():
    assert {there for _, _, there in keys()} <= packages()


@pytest.mark.parametrize(
    ("here", "there"), [("custody", "evidence"), ("accounts", "evidence"), ("oversight", "release")]
)
def test_a_key_upward_or_sideways_would_be_noticed(here, there):
    assert points_up(here, there)
    assert not points_up("evidence", "custody")
    assert not points_up("evidence", "evidence")
