"""An installation in a test's own folder, over the test's own database."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from plainview.accounts.actions import add_user, grant_role
from plainview.pipeline.installation import Installation
from plainview.pipeline.intake import Intake
from plainview.vault.keys import create_key_store
from plainview.vault.local import create_local_store
from simulators.custody_rows import START, SYSTEM
from simulators.plain_jail import PlainJail

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = itertools.count(1)


def make_installation(data: Path, log):
    """Make stores of objects and keys in a folder, with a log that was started; close its keys in the end."""
    return Installation(
        data=data,
        store=create_local_store(data / "objects"),
        keys=create_key_store(data / "keys", recovery_public=bytes(32)),
        signer=log.signer,
        zone="America/New_York",
    )


def make_intake(installation, *, jail=None, now=START):
    """Return what taking files in needs, with a clock that stands still."""
    return Intake(
        installation=installation,
        jail=jail or PlainJail(),
        actor=SYSTEM,
        now=lambda: now,
        monotonic=time.monotonic,
    )


def add_person(*roles):
    """Add somebody who logs in and holds these roles everywhere."""
    person = add_user(
        username=f"person.{next(NUMBERS)}", name="Ana Reyes", password=None, actor=SYSTEM, now=START
    )
    for role in roles:
        grant_role(user=person, role=role, unit=None, actor=SYSTEM, now=START)
    return person
