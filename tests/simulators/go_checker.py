"""Build tests/go/verify_log.go with Debian's Go and x/mod, where they are installed."""

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "go" / "verify_log.go"
DEBIAN_GO = "/usr/lib/go-1.19/bin/go"
DEBIAN_SOURCES = Path("/usr/share/gocode")


def go_command():
    """Return the path of go, or None."""
    return DEBIAN_GO if Path(DEBIAN_GO).exists() else shutil.which("go")


def why_not():
    """Return why the checker cannot be built here, or None."""
    if go_command() is None:
        return "SKIPPED: no Go; on Debian: apt-get install golang-1.19-go golang-golang-x-mod-dev"
    if not (DEBIAN_SOURCES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        return "SKIPPED: no x/mod sources; on Debian: apt-get install golang-golang-x-mod-dev"
    return None


def build(folder):
    """Build the checker in folder, offline, and return its path."""
    target = folder / "verify_log"
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "GO111MODULE": "off",
        "GOPATH": str(DEBIAN_SOURCES),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
    }
    subprocess.run([go_command(), "build", "-o", target, SOURCE], env=environment, check=True)
    return target


def check(checker, log_folder, vkey_file, *older):
    """Return the checker's exit status and its one line."""
    done = subprocess.run(
        [checker, log_folder, vkey_file, *older], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip()
