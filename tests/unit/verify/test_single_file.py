import importlib.util

import pytest

from plainview.verify import single_file
from plainview.verify.single_file import SingleFileError, build_single_file, take_apart_source


def joined(**sources):
    return single_file._checked_imports([take_apart_source(name, source) for name, source in sources.items()])


def test_every_module_stands_before_those_that_need_it():
    source = build_single_file()
    order = [line[2:] for line in source.split("\n") if line.startswith("# plainview.")]
    assert order[0] == "plainview.formats.errors"
    assert order[-1] == "plainview.verify.command"
    assert order.index("plainview.formats.merkle") < order.index("plainview.verify.inclusion")


def test_a_name_defined_in_two_modules_is_refused():
    with pytest.raises(SingleFileError, match="limit is defined in a too"):
        joined(a="limit = 1\n", b="def limit():\n    pass\n")


def test_a_name_that_hides_an_import_is_refused():
    with pytest.raises(SingleFileError, match="an import"):
        joined(a="from dataclasses import field\n", b="field = 1\n")


def test_one_name_imported_from_two_places_is_refused():
    with pytest.raises(SingleFileError, match="means from"):
        joined(a="from os import path\n", b="from posixpath import path\n")


@pytest.mark.parametrize(
    "source",
    [
        "import django\n",
        "from django import db\n",
        "from . import errors\n",
        "from os import *\n",
        "import json as j\n",
        "from plainview.formats.errors import FormatError as Wrong\n",
        "def f():\n    import json\n",
        "try:\n    import django\nexcept ValueError:\n    pass\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x = 1\n",
        "x = 1\nimport json\n",
    ],
)
def test_what_cannot_be_joined_is_refused(source):
    with pytest.raises(SingleFileError):
        take_apart_source("m", source)


def test_what_may_be_missing_may_be_asked_for():
    source = "try:\n    from fast import Thing\nexcept ImportError:\n    HAS_THING = False\n"
    assert take_apart_source("m", source).names == ["HAS_THING", "Thing"]


def test_a_module_without_a_docstring_or_body_is_left_out():
    module = take_apart_source("m", "import json\n")
    assert (module.banner, module.body, module.imports) == ([], "", {"json": "import json"})


def test_a_module_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SingleFileError, match="no such module"):
        build_single_file()
