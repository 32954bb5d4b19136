"""What a decoder child gives up before it looks at a file: one step each, and a record of which took hold."""

from __future__ import annotations

import ctypes
import os
import resource
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.service import linux, seccomp

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = 65534

# Landlock: every right known to each version of its interface, so that none is left over.
# Source: linux/include/uapi/linux/landlock.h; rights added per ABI: kernel.org userspace-api/landlock.
LANDLOCK_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
LANDLOCK_NETWORK_FROM = 4
LANDLOCK_SCOPES_FROM = 6


@dataclass
class Record:
    """Which steps took hold and which did not, with the kernel's reason."""

    enforced: list[str] = field(default_factory=list)
    not_enforced: list[list[str]] = field(default_factory=list)

    def attempt(self, name: str, step: Callable[[], object]) -> bool:
        """Take a step; on a refusal write it down and go on.

        Returns:
            Whether it took hold.
        """
        try:
            step()
        except (OSError, NotImplementedError, AttributeError, ValueError) as error:
            self.not_enforced.append([name, str(error)[:200]])
            return False
        self.enforced.append(name)
        return True


def drop_root() -> None:
    """Become nobody, for good.

    Raises:
        OSError: root without the right to change user.
    """
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    linux.prctl(
        linux.PR_SET_DUMPABLE, 1
    )  # or /proc/self would be root's, and the namespace's map closed to us


def separate(record: Record) -> bool:
    """Leave root and the shared namespaces. The caller must fork afterwards for the process namespace.

    Returns:
        Whether this process is alone in a user namespace, so that limits counted by user count it only.
    """
    if os.geteuid() == 0:
        record.attempt("unprivileged user", drop_root)
    else:
        record.enforced.append("unprivileged user")
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
    alone = record.attempt("user namespace", lambda: linux.enter_user_namespace(uid=NOBODY, gid=NOBODY))
    for name, flag in (
        ("network namespace", linux.CLONE_NEWNET),
        ("ipc namespace", linux.CLONE_NEWIPC),
        ("host name namespace", linux.CLONE_NEWUTS),
        ("process namespace", linux.CLONE_NEWPID),
    ):
        record.attempt(name, partial(linux.unshare, flag))
    return alone


def limit_resources(*, space_bytes: int, cpu_s: int, open_files: int, threads: int | None) -> None:
    """Set the hard limits; these exist everywhere and must take hold.

    Args:
        space_bytes: address space, all of it.
        cpu_s: processor time; the process is killed one second later if it survives the signal.
        open_files: descriptors, the standard ones included.
        threads: processes and threads of this user; None where others share the user.

    Raises:
        OSError, ValueError: a limit was refused.
    """
    limits: list[tuple[int, int, int]] = [
        (resource.RLIMIT_AS, space_bytes, space_bytes),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, open_files, open_files),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ]
    if threads is not None:
        limits.append((resource.RLIMIT_NPROC, threads, threads))
    for kind, soft, hard in limits:
        # A limit already lower outside stays: only root may raise one.
        _, present = resource.getrlimit(kind)
        if present != resource.RLIM_INFINITY:
            soft, hard = min(soft, present), min(hard, present)  # noqa: PLW2901 (the pair is one value)
        resource.setrlimit(kind, (soft, hard))


def address_space_bytes() -> int:
    """Return the size of this process's address space now.

    Source: proc(5), /proc/pid/statm, first field, in pages.
    """
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def empty_root() -> None:
    """Make an empty, read-only folder the root, so that no path leads to any file.

    Raises:
        OSError: no mount namespace, or mounting is refused.

    Source: pivot_root(2), "pivot_root(".", ".")".
    """
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", "none", linux.MS_REC | linux.MS_PRIVATE)
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    base = "/tmp" if Path("/tmp").is_dir() else "/proc"  # noqa: S108 (only a place to mount on)
    linux.mount("none", base, "tmpfs", flags, "size=4k,nr_inodes=2,mode=0500")
    os.chdir(base)
    linux.pivot_root(".", ".")
    linux.umount(".", linux.MNT_DETACH)
    os.chdir("/")
    linux.mount("none", "/", "none", flags | linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY)


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def landlock_ruleset(abi: int) -> tuple[int, int, int, int]:
    """Return what to forbid under a version of Landlock: file rights, network rights, scopes, size in bytes.

    Args:
        abi: the kernel's answer, from 1.
    """
    files = (1 << LANDLOCK_FILE_RIGHTS[min(abi, 5)]) - 1
    network = 0b11 if abi >= LANDLOCK_NETWORK_FROM else 0  # bind and connect of TCP
    scopes = 0b11 if abi >= LANDLOCK_SCOPES_FROM else 0  # abstract sockets and signals
    size = 8 if abi < LANDLOCK_NETWORK_FROM else 16 if abi < LANDLOCK_SCOPES_FROM else 24
    return files, network, scopes, size


def close_files_by_landlock() -> None:
    """Forbid every access to files by name; what is open stays open. Needs no_new_privs.

    Raises:
        OSError: the kernel has no Landlock.

    Source: landlock(7).
    """
    create = ctypes.c_long(0)
    abi = linux.syscall(linux.LANDLOCK_CREATE_RULESET, None, create, ctypes.c_uint32(1))
    files, network, scopes, size = landlock_ruleset(abi)
    rules = _Ruleset(files, network, scopes)
    fd = linux.syscall(
        linux.LANDLOCK_CREATE_RULESET, ctypes.byref(rules), ctypes.c_long(size), ctypes.c_uint32(0)
    )
    try:
        linux.syscall(linux.LANDLOCK_RESTRICT_SELF, ctypes.c_int(fd), ctypes.c_uint32(0))
    finally:
        os.close(fd)


def confine(record: Record, *, memory_bytes: int, cpu_s: int, open_files: int, threads: int | None) -> None:
    """Give up everything that is left, in the process that will run the task.

    Args:
        record: where each step is written down.
        memory_bytes: address space beyond what the process has now.
        cpu_s: see limit_resources, as are the others.
        open_files: as above.
        threads: as above.

    Raises:
        OSError, ValueError: a resource limit was refused: the task must not run.
    """
    space_bytes = address_space_bytes() + memory_bytes  # read now: afterwards there is no /proc
    record.attempt("empty root", empty_root)
    limit_resources(space_bytes=space_bytes, cpu_s=cpu_s, open_files=open_files, threads=threads)
    record.enforced.append("resource limits")
    if threads is None:
        record.not_enforced.append(["number of threads", "counted with other processes of the same user"])
    record.attempt("no capabilities", linux.drop_capabilities)
    record.attempt("no new privileges", lambda: linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1))
    record.attempt("not dumpable", lambda: linux.prctl(linux.PR_SET_DUMPABLE, 0))
    record.attempt("no files by name", close_files_by_landlock)
    record.attempt("system call filter", lambda: seccomp.install_filter(own_pid=os.getpid()))
