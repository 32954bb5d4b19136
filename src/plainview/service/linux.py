"""System calls of Linux that Python's os module does not offer on 3.11, through the C library.

Each raises OSError with the call's name, or NotImplementedError on a system without it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

# Numbers differ by machine only for calls older than the common table (below 424).
# Source: linux/arch/x86/entry/syscalls/syscall_64.tbl, linux/include/uapi/asm-generic/unistd.h.
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
CAPSET = {"x86_64": 126, "aarch64": 91}
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_RESTRICT_SELF = 446

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def _need_linux(name: str) -> None:
    if sys.platform != "linux":
        raise NotImplementedError(f"{name} exists on Linux only")


def prctl(option: int, *values: int) -> int:
    """Change something about this process.

    Source: prctl(2).
    """
    _need_linux("prctl")
    padded = (*values, 0, 0, 0, 0)[:4]
    return _checked("prctl", _libc.prctl(option, *(ctypes.c_ulong(value) for value in padded)))


def syscall(number: int, *values: object) -> int:
    """Make a system call by its number.

    Source: syscall(2).
    """
    _need_linux("syscall")
    return _checked(f"system call {number}", _libc.syscall(ctypes.c_long(number), *values))


def unshare(flags: int) -> None:
    """Leave namespaces shared with the parent.

    Source: unshare(2).
    """
    _need_linux("unshare")
    _checked("unshare", _libc.unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Attach a file system.

    Source: mount(2).
    """
    _need_linux("mount")
    texts = (source.encode(), target.encode(), kind.encode())
    _checked("mount", _libc.mount(*texts, ctypes.c_ulong(flags), options.encode()))


def umount(target: str, flags: int) -> None:
    """Detach a file system.

    Source: umount2(2).
    """
    _need_linux("umount2")
    _checked("umount2", _libc.umount2(target.encode(), ctypes.c_int(flags)))


def pivot_root(new_root: str, put_old: str) -> None:
    """Make new_root the root of this mount namespace.

    Source: pivot_root(2).
    """
    number = by_machine(PIVOT_ROOT, "pivot_root")
    syscall(number, new_root.encode(), put_old.encode())


def by_machine(numbers: dict[str, int], name: str) -> int:
    """Return the system call number for this machine.

    Raises:
        NotImplementedError: the number for this machine is not known here.
    """
    machine = platform.machine()
    if machine not in numbers:
        raise NotImplementedError(f"{name}: not known for {machine}")
    return numbers[machine]


def enter_user_namespace(*, uid: int, gid: int) -> None:
    """Become uid and gid in a user namespace of its own; files are still reached as the user outside.

    Source: user_namespaces(7), "Defining user and group ID mappings".
    """
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER)
    for name, text in (
        ("setgroups", b"deny"),
        ("uid_map", b"%d %d 1" % (uid, outside_uid)),
        ("gid_map", b"%d %d 1" % (gid, outside_gid)),
    ):
        with open(f"/proc/self/{name}", "wb") as file:  # noqa: PTH123 (not a file of ours)
            file.write(text)


def die_with_parent(signal_number: int, *, parent_pid: int) -> None:
    """Have the kernel send this signal when the parent's thread that started this process ends.

    Raises:
        ProcessLookupError: the parent had gone before this could be asked.

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent_pid:
        raise ProcessLookupError("the parent process is gone")


def process_start(pid: int) -> int | None:
    """Return when a process started, in kernel ticks since boot, or None if it has ended or that cannot be told.

    A process number with its start is not reused; the number alone is. One that has ended stays in the table until
    its parent has asked how.

    Source: proc(5), fields 3 and 22 of /proc/pid/stat.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (not a file of ours)
            fields = file.read().rpartition(b")")[2].split()
        return None if fields[0] in {b"Z", b"X"} else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _set_capabilities(bits: int) -> None:
    header = _CapHeader(version=0x20080522, pid=0)  # _LINUX_CAPABILITY_VERSION_3: two words of data
    data = (_CapData * 2)(_CapData(bits, bits, bits), _CapData(0, 0, 0))
    syscall(by_machine(CAPSET, "capset"), ctypes.byref(header), ctypes.byref(data))


def drop_capabilities() -> None:
    """Give up every capability, those inside a user namespace among them.

    Source: capset(2).
    """
    _set_capabilities(0)


def become_user_keeping(capability: int, *, uid: int, gid: int) -> None:
    """Change from root to uid for good, keeping one capability, also over execve.

    Args:
        capability: its number, below 32.
        uid: the user to become.
        gid: the group to become.

    Source: capabilities(7), "Transformation of capabilities during execve", ambient set.
    """
    keep_caps = 1 << 4  # SECBIT_KEEP_CAPS
    prctl(PR_SET_SECUREBITS, keep_caps)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    _set_capabilities(1 << capability)
    prctl(PR_CAP_AMBIENT, 2, capability)  # PR_CAP_AMBIENT_RAISE
