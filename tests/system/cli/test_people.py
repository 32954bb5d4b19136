"""plainview users: the real program, on a data directory of the module's own."""

import contextlib
import json
import os
import pty
import re
import subprocess

import pytest

from simulators.program import PROGRAM, environment, plainview

pytestmark = pytest.mark.slow
PASSWORD = re.compile(r"[a-z2-9]{5}(-[a-z2-9]{5}){3}")


def users(data):
    done = plainview("users", "list", "--json", data=data)
    assert done.returncode == 0, done.stderr
    return {one["username"]: one for one in map(json.loads, done.stdout.splitlines())}


def test_people_are_added_given_roles_and_passwords_and_listed(data):
    assert plainview("users", "unit", "P12", "--name", "Patrol 12", data=data).returncode == 0
    roles = ("--role", "supervisor", "--role", "officer", "--unit", "P12")
    added = plainview(
        "users", "add", "j.doe", "--name", "J. Doe", *roles, "--badge", "4711", "--json", data=data
    )
    assert added.returncode == 0, added.stderr
    first = json.loads(added.stdout)["password"]
    assert PASSWORD.fullmatch(first)
    assert users(data)["j.doe"] == {
        "username": "j.doe",
        "name": "J. Doe",
        "roles": [{"role": "officer", "unit": "P12"}, {"role": "supervisor", "unit": "P12"}],
        "badge": "4711",
        "has_password": True,
    }
    anew = plainview("users", "password", "j.doe", data=data)
    (second,) = [found.group() for found in PASSWORD.finditer(anew.stdout)]
    assert second != first
    assert plainview("users", "role", "j.doe", "custodian", data=data).stdout == "j.doe holds custodian\n"
    ended = plainview("users", "role", "j.doe", "officer", "--unit", "P12", "--end", data=data)
    assert ended.stdout == "j.doe no longer holds officer for P12\n"
    assert users(data)["j.doe"]["roles"] == [
        {"role": "custodian", "unit": None},
        {"role": "supervisor", "unit": "P12"},
    ]
    assert plainview("fsck", data=data).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "J.Doe", "--name", "x"], "Expected small letters"),
        (["add", "x", "--name", "x", "--role", "boss"], "Expected one of: officer"),
        (["add", "x", "--name", "x", "--role", "officer", "--unit", "nowhere"], "no unit 'nowhere'"),
        (["add", "x", "--name", "x", "--prompt"], "there is none"),
        (["role", "nobody", "officer"], "no user 'nobody'"),
        (["password", "nobody"], "no user 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(data, words, said):
    before = users(data)
    done = plainview("users", *words, data=data)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert users(data) == before


def typed(data, *words, lines):
    """Run a command at a terminal and type a line whenever it asks; return its exit code and all it said."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *words, "--data", str(data)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(),
        start_new_session=True,
    ) as program:
        os.close(theirs)
        said, waiting = b"", list(lines)
        # Whatever is typed before it asks, it throws away.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 4096):
                said += part
                if waiting and said.endswith(b": "):
                    os.write(ours, waiting.pop(0).encode() + b"\n")
        program.wait(timeout=120)
        os.close(ours)
    return program.returncode, said.decode()


def test_a_password_that_is_typed_is_asked_twice_and_never_shown(data):
    typed_in = "seven plain words beside one another"
    code, said = typed(data, "users", "add", "t.yped", "--name", "T. Yped", "--prompt", lines=[typed_in] * 2)
    assert code == 0, said
    assert typed_in not in said
    assert users(data)["t.yped"]["has_password"]
    for lines, why in (([typed_in, "another"], "differ"), (["short"] * 2, "too short")):
        code, said = typed(data, "users", "add", "u.ntyped", "--name", "U", "--prompt", lines=lines)
        assert code == 2
        assert why in said
    assert "u.ntyped" not in users(data)


def test_a_setting_that_would_protect_nobody_is_refused_before_anything_is_touched(tmp_path):
    for name, value in (("PLAINVIEW_SECOND_FACTOR_ROLES", "boss"), ("PLAINVIEW_IDLE_MINUTES", "soon")):
        done = plainview("users", "list", data=tmp_path / "data", env={name: value})
        assert (done.returncode, done.stdout) == (2, "")
        assert value in done.stderr
        assert not (tmp_path / "data").exists()
