"""Rules of the house that no linter has: what must not stand in any file, and how long a function may be."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "bench", "docs", "changelog", ".ci")
LONGEST_FUNCTION_LINES = 60
# A drawing is a list of what is drawn; cut up, it would be harder to see.
DRAWINGS = {"src/plainview/demo/street.py: _rear"}

# No pattern matches its own spelling: this file is searched too.
FORBIDDEN = {
    # A made-up officer's home is nobody's.
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(?:work|root|Users|home(?!/officer\b))/[\w.-]+"),
    "an index host": re.compile(
        r"py[p]i\.org|python[h]osted\.org|[\w.-]+/simpl[e]/?(?=\s|$)|--(?:extra-)?index[-]url\s+\S"
    ),
    "a merge that was not finished": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}
UNFINISHED = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")


@functools.cache
def written_files():
    """Return every file that people wrote and that is text."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.name not in {".coverage", ".git"}]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    found = [
        path for path in (*top, *below) if "__pycache__" not in path.parts and ".egg-info" not in str(path)
    ]
    return sorted(path for path in found if not path.name.startswith(".coverage."))


@functools.cache
def text_of(path):
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def python_files():
    return [path for path in written_files() if path.suffix == ".py"]


def lines_that_match(pattern, paths):
    found = []
    for path in paths:
        text = text_of(path)
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line}: {match.group()!r}")
    return found


def long_functions(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if lines > LONGEST_FUNCTION_LINES:
                yield f"{node.name}: {lines} lines"


def test_the_files_that_are_searched_are_there():
    names = {path.relative_to(ROOT).as_posix() for path in written_files()}
    assert {"Makefile", "pyproject.toml", "requirements.lock", "tests/unit/test_house.py"} <= names
    assert any(name.startswith("src/plainview/") for name in names)


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_no_file_holds(what):
    assert lines_that_match(FORBIDDEN[what], written_files()) == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a path of somebody's machine", "see /ho" + "me/alex/notes"),
        ("a path of somebody's machine", "'/ro" + "ot/.cache'"),
        ("an index host", "https://py" + "pi.org/simple"),
        ("an index host", "--index" + "-url https://mirror.example/x"),
        ("an index host", "https://mirror.example/simple" + "/"),
        ("a merge that was not finished", "<" * 7 + " ours"),
    ],
)
def test_a_line_that_must_not_be_there_would_be_noticed(what, line):
    assert FORBIDDEN[what].search(line)


@pytest.mark.parametrize(
    "line", ["/etc/passwd", "network/root/x", "https://plainview.example/home", "a simple / plain rule"]
)
def test_an_innocent_line_is_left_alone(line):
    assert not any(pattern.search(line) for pattern in FORBIDDEN.values())


def test_nothing_in_the_code_is_left_to_be_done():
    assert lines_that_match(UNFINISHED, python_files()) == []


def test_every_module_of_ours_says_what_it_is_for():
    silent = []
    for path in (ROOT / "src").rglob("*.py"):
        source = path.read_text("utf-8")
        is_empty_marker = path.name == "__init__.py" and not source.strip()
        # Its first line, and not its tree: the tree of every module takes half a second.
        if "migrations" not in path.parts and not is_empty_marker and not source.startswith(('"""', 'r"""')):
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_every_package_of_ours_says_what_it_is_for():
    packages = list((ROOT / "src" / "plainview").glob("*/__init__.py"))
    assert [
        str(p.relative_to(ROOT)) for p in packages if not ast.get_docstring(ast.parse(p.read_text("utf-8")))
    ] == []


def test_no_function_of_ours_is_longer_than_a_screen():
    ours = [path for folder in ("src", "bench") for path in (ROOT / folder).rglob("*.py")]
    found = [f"{path.relative_to(ROOT)}: {what}" for path in ours for what in long_functions(text_of(path))]
    found = [what for what in found if what.rpartition(":")[0] not in DRAWINGS]
    assert found == []


def test_a_function_that_is_too_long_would_be_noticed():
    body = "    pass\n" * LONGEST_FUNCTION_LINES
    assert list(long_functions("def f():\n" + body)) == ["f: 61 lines"]
    assert list(long_functions("def f():\n" + body[9:])) == []
