"""plainview serve: what it refuses, what it says, and how it ends."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from simulators.program import plainview, processes_of
from simulators.servers import command_of, eventually, serving, serving_facts

PREPARED_LIMIT_S = 15.0


def test_it_is_up_and_ready_and_says_nothing_that_is_nobodys_business(server):
    status, headers, body = server.get("/healthz")
    assert (status, body) == (200, "up\n")
    assert "no-store" in headers["cache-control"]
    status, _, body = server.get("/readyz")
    told = json.loads(body)
    assert (status, told["ready"]) == (200, True)
    assert told["checks"] == dict.fromkeys(("database", "migrations", "log", "disk", "queue"), "ok")


def test_a_second_server_is_refused_at_once_with_who_holds_the_directory(server):
    began_s = time.monotonic()
    done = plainview("serve", "--port", "0", data=server.data)
    assert done.returncode == 2
    assert f"in use by 'plainview serve' (process {server.pid})" in done.stderr
    assert time.monotonic() - began_s < 30, "a server is not waited for: it does not end by itself"
    assert server.is_up()


def test_what_needs_the_directory_alone_is_refused_with_who_holds_it(server, tmp_path):
    done = plainview("restore", tmp_path / "backup", data=server.data)
    assert done.returncode == 2
    assert f"(process {server.pid})" in done.stderr


def test_nothing_secret_stands_in_an_argument_or_in_what_others_may_read(server):
    secrets = [*json.loads((server.data / "service" / "passwords.json").read_text()).values()]
    secrets.append((server.data / "service" / "secret-key").read_text())
    for pid in processes_of(server.data):
        for word in command_of(pid):
            assert not any(secret in word for secret in secrets)
            assert "dbname" not in word
    for name in ("serving.json", "secret-key", "passwords.json", "attached"):
        assert (server.data / "service" / name).stat().st_mode & 0o077 == 0, name
    assert not any(secret in json.dumps(serving_facts(server.data)) for secret in secrets)


def test_static_files_are_served_for_ever_under_an_address_that_changes_with_them(server):
    page = server.get("/account/login/")
    assert page is not None
    prefix = re.search(r"/static/[0-9a-f]{12}/", page[2])
    assert prefix, "a page names its style sheet"
    path = prefix[0] + "django_htmx/htmx-2.min.js"
    status, headers, _ = server.get(path)
    assert (status, headers["Cache-Control"]) == (200, "max-age=315360000, public, immutable")
    assert server.get("/static/000000000000/django_htmx/htmx-2.min.js")[0] == 404
    assert not (Path(server.data) / "static").exists()


def test_an_unknown_host_is_refused(server):
    port = int(server.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(b"GET /account/login/ HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n")
        assert raw.recv(4096).split(b"\r\n")[0].split()[1] == b"400"


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["--host", "0.0.0.0"], {}, "--behind-proxy"),
        (["--host", "0.0.0.0", "--behind-proxy"], {}, "PLAINVIEW_HOSTS"),
        (["--certificate", "x.pem"], {}, "--certificate-key"),
        (["--host", "192.0.2.1", "--behind-proxy"], {"PLAINVIEW_HOSTS": "video.example"}, "cannot be listened at"),
        (["--workers", "1000"], {}, "PLAINVIEW_WORKERS"),
        ([], {"PLAINVIEW_WORKERS": "many"}, "PLAINVIEW_WORKERS"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused_before_anything_is_made(arguments, env, said, tmp_path):
    done = plainview("serve", "--port", "0", *arguments, data=tmp_path / "data", env=env)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = plainview("serve", "--port", str(port), data=tmp_path / "data")
    assert done.returncode == 2
    assert f"127.0.0.1 port {port}" in done.stderr
    assert "another --port" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_everything_in_order(number, data):
    with serving(data, "--workers", "0") as server:
        eventually((data / "service" / "sequencer.log").exists)
        server.kill(number)
        status, said = server.wait()
    assert (status, said.strip()) == (0, "Stopped.")
    assert processes_of(data) == set()
    assert not (data / "service" / "serving.json").exists()
    log = [json.loads(line) for line in (data / "service" / "sequencer.log").read_text().splitlines()]
    assert log[-1]["event"] == "command ended"


def test_an_empty_directory_is_prepared_and_a_prepared_one_is_served_soon(tmp_path):
    data = tmp_path / "new" / "data"
    with serving(data, "--workers", "0") as server:
        assert server.is_up()
        assert server.stop()[0] == 0
    assert (data / "recovery-key.json").exists()
    began_s = time.monotonic()
    with serving(data, "--workers", "0"):
        assert time.monotonic() - began_s < PREPARED_LIMIT_S


def test_the_key_that_signs_sessions_stays_the_same(data):
    for _ in range(2):
        with serving(data, "--workers", "0"):
            found = (data / "service" / "secret-key").read_text()
            assert len(found) > 50
    assert (data / "service" / "secret-key").read_text() == found


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_with_a_certificate_it_serves_https_and_marks_cookies_so(data, tmp_path):
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-days", "2"]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    with serving(data, "--workers", "0", "--certificate", certificate, "--certificate-key", key) as server:
        assert server.address.startswith("https://")
        status, headers, _ = server.get("/account/login/")
    assert status == 200
    assert "csrftoken" in headers["set-cookie"]
    assert "Secure" in headers["set-cookie"]


def test_a_web_server_that_cannot_start_ends_all_and_says_why(data, tmp_path):
    # Only the part that is the web looks for it.
    (tmp_path / "granian.py").write_text("raise SystemExit('no web today')")
    done = plainview("serve", "--port", "0", "--workers", "0", data=data, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert "the web does not start. It said: no web today" in done.stderr
    assert processes_of(data) == set()


def test_a_database_that_ends_by_itself_ends_all_and_says_why(data):
    with serving(data, "--workers", "0") as server:
        os.kill(server.part("postgres"), signal.SIGQUIT)
        status, said = server.wait()
    assert status == 2
    assert "PostgreSQL ended by itself" in said
    assert "Traceback" not in said
    assert processes_of(data) == set()
    with serving(data, "--workers", "0") as server:
        assert server.is_up()
