"""A filter on system calls: what a decoder has no business doing is refused by the kernel.

A list of what is refused, not of what is allowed: an allow list would have to follow every C library and
FFmpeg. It is the last of several layers; the empty root and the empty network do not depend on it.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from dataclasses import dataclass

from plainview.service import linux

# Classic BPF. Source: linux/include/uapi/linux/bpf_common.h, seccomp.h, audit.h.
LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
JUMP_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN = 0x06  # BPF_RET | BPF_K
ALLOW = 0x7FFF0000
KILL = 0x80000000  # SECCOMP_RET_KILL_PROCESS
REFUSE = 0x00050000  # SECCOMP_RET_ERRNO, the number in the low 16 bits
OFFSET_NUMBER, OFFSET_MACHINE, OFFSET_ARGUMENTS = 0, 4, 16
SECCOMP_MODE_FILTER = 2
CLONE_THREAD = 0x00010000
X32_NUMBERS_FROM = 0x40000000

# Killed at once: no decoder tries these by accident.
# Numbers: linux/arch/x86/entry/syscalls/syscall_64.tbl and linux/include/uapi/asm-generic/unistd.h.
KILLED_X86_64 = {
    "execve": 59, "ptrace": 101, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161,
    "swapon": 167, "reboot": 169, "init_module": 175, "acct": 163, "kexec_load": 246, "kexec_file_load": 320,
    "open_by_handle_at": 304, "process_vm_readv": 310, "process_vm_writev": 311, "finit_module": 313,
    "bpf": 321, "execveat": 322, "settimeofday": 164, "sethostname": 170,
}  # fmt: skip
KILLED_AARCH64 = {
    "execve": 221, "ptrace": 117, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
    "swapon": 224, "reboot": 142, "init_module": 105, "acct": 89, "kexec_load": 104, "kexec_file_load": 294,
    "open_by_handle_at": 265, "process_vm_readv": 270, "process_vm_writev": 271, "finit_module": 273,
    "bpf": 280, "execveat": 281, "settimeofday": 170, "sethostname": 161,
}  # fmt: skip

# Refused with "not permitted": innocent libraries probe with them and go on without.
REFUSED_X86_64 = {
    "socket": 41, "socketpair": 53, "connect": 42, "bind": 49, "listen": 50, "accept": 43, "accept4": 288,
    "fork": 57, "vfork": 58, "kill": 62, "tkill": 200, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
    "shmget": 29, "shmat": 30, "msgget": 68, "semget": 64, "mq_open": 240, "syslog": 103,
    "setns": 308, "unshare": 272, "keyctl": 250, "add_key": 248, "request_key": 249,
    "perf_event_open": 298, "userfaultfd": 323, "memfd_create": 319, "name_to_handle_at": 303,
    "fanotify_init": 300, "inotify_init": 253, "inotify_init1": 294, "kcmp": 312, "quotactl": 179,
    "personality": 135, "seccomp": 317, "setpriority": 141, "setrlimit": 160,
    # Files, by name or changed through the one descriptor: also where there is no empty root.
    "open": 2, "openat": 257, "creat": 85, "mkdir": 83, "mkdirat": 258, "mknod": 133, "mknodat": 259,
    "link": 86, "linkat": 265, "symlink": 88, "symlinkat": 266, "rename": 82, "renameat": 264, "renameat2": 316,
    "unlink": 87, "unlinkat": 263, "rmdir": 84, "chmod": 90, "fchmod": 91, "fchmodat": 268, "chown": 92,
    "fchown": 93, "lchown": 94, "fchownat": 260, "truncate": 76, "utime": 132, "utimes": 235, "futimesat": 261,
    "utimensat": 280, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197,
    "lremovexattr": 198, "fremovexattr": 199, "ioctl": 16,
}  # fmt: skip
REFUSED_AARCH64 = {
    "socket": 198, "socketpair": 199, "connect": 203, "bind": 200, "listen": 201, "accept": 202, "accept4": 242,
    "kill": 129, "tkill": 130, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
    "shmget": 194, "shmat": 196, "msgget": 186, "semget": 190, "mq_open": 180, "syslog": 116,
    "setns": 268, "unshare": 97, "keyctl": 219, "add_key": 217, "request_key": 218,
    "perf_event_open": 241, "userfaultfd": 282, "memfd_create": 279, "name_to_handle_at": 264,
    "fanotify_init": 262, "inotify_init1": 26, "kcmp": 272, "quotactl": 60,
    "personality": 92, "seccomp": 277, "setpriority": 140, "setrlimit": 164,
    "openat": 56, "mkdirat": 34, "mknodat": 33, "linkat": 37, "symlinkat": 36, "renameat": 38, "renameat2": 276,
    "unlinkat": 35, "fchmod": 52, "fchmodat": 53, "fchown": 55, "fchownat": 54, "truncate": 45, "utimensat": 88,
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
    "ioctl": 29,
}  # fmt: skip
REFUSED_EVERYWHERE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_open": 434, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "memfd_secret": 447,
    "openat2": 437, "fchmodat2": 452,
}  # fmt: skip
CLONE3 = 435  # its flags lie in memory, out of a filter's sight: "no such call" makes C libraries use clone

PR_SET_NAME = 15
PR_GET_NAME = 16
PR_SET_VMA = 0x53564D41
PRLIMIT64 = {"x86_64": 302, "aarch64": 261}


@dataclass(frozen=True)
class Machine:
    """What a filter must know of one kind of processor."""

    audit_number: int
    clone: int
    prctl: int
    tgkill: int
    prlimit64: int
    killed: dict[str, int]
    refused: dict[str, int]
    has_x32: bool


MACHINES = {
    "x86_64": Machine(0xC000003E, 56, 157, 234, 302, KILLED_X86_64, REFUSED_X86_64, has_x32=True),
    "aarch64": Machine(0xC00000B7, 220, 167, 131, 261, KILLED_AARCH64, REFUSED_AARCH64, has_x32=False),
}


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _argument(index: int) -> bytes:
    """Load the low half of an argument; both machines are little-endian."""
    return _step(LOAD_WORD, OFFSET_ARGUMENTS + 8 * index)


def _answer_for(number: int, answer: int) -> bytes:
    return _step(JUMP_EQUAL, number, 0, 1) + _step(RETURN, answer)


def build_filter(machine: Machine, *, own_pid: int) -> bytes:
    """Return the filter's program.

    Args:
        machine: from MACHINES.
        own_pid: the process's number as it sees it itself: it may signal its own threads (abort does).

    Returns:
        Classic BPF instructions, 8 bytes each.

    Source: seccomp(2); linux/Documentation/userspace-api/seccomp_filter.rst.
    """
    refuse = REFUSE | errno.EPERM
    program = [
        _step(LOAD_WORD, OFFSET_MACHINE),
        _step(JUMP_EQUAL, machine.audit_number, 1, 0),
        _step(RETURN, KILL),
        _step(LOAD_WORD, OFFSET_NUMBER),
    ]
    if machine.has_x32:
        program += [_step(JUMP_AT_LEAST, X32_NUMBERS_FROM, 0, 1), _step(RETURN, KILL)]
    program += [_answer_for(number, KILL) for number in sorted(machine.killed.values())]
    refused = {**machine.refused, **REFUSED_EVERYWHERE}
    program += [_answer_for(number, refuse) for number in sorted(refused.values())]
    program.append(_answer_for(CLONE3, REFUSE | errno.ENOSYS))
    program += _only_if(machine.clone, [_argument(0), _step(JUMP_ANY_BIT, CLONE_THREAD, 0, 1)], refuse)
    program += _only_if(machine.tgkill, [_argument(0), _step(JUMP_EQUAL, own_pid, 0, 1)], refuse)
    program += _only_if(machine.prctl, _is_harmless_prctl(), refuse)
    # prlimit64 may read a limit (no new value given) but not set one. The pointer's halves are both zero.
    no_new_limit = [
        _argument(2),
        _step(JUMP_EQUAL, 0, 0, 3),
        _step(LOAD_WORD, OFFSET_ARGUMENTS + 8 * 2 + 4),
        _step(JUMP_EQUAL, 0, 0, 1),
    ]
    program += _only_if(machine.prlimit64, no_new_limit, refuse)
    program.append(_step(RETURN, ALLOW))
    return b"".join(program)


def _only_if(number: int, test: list[bytes], otherwise: int) -> list[bytes]:
    """For one call: allow it if the test's last jump falls through, else answer otherwise.

    The test must jump over exactly one instruction (the one that allows) when it fails.
    """
    body = [*test, _step(RETURN, ALLOW), _step(RETURN, otherwise)]
    return [_step(JUMP_EQUAL, number, 0, len(body)), *body]


def _is_harmless_prctl() -> list[bytes]:
    """Naming a thread or a stretch of memory; above all not the signal that ends it with its parent."""
    return [
        _argument(0),
        _step(JUMP_EQUAL, PR_SET_NAME, 2, 0),
        _step(JUMP_EQUAL, PR_GET_NAME, 1, 0),
        _step(JUMP_EQUAL, PR_SET_VMA, 0, 1),
    ]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install_filter(*, own_pid: int) -> None:
    """Put the filter on this process, for good. Needs no_new_privs.

    Raises:
        NotImplementedError: no filter is known for this machine.
        OSError: the kernel has no such filters or refuses.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise NotImplementedError(f"no filter is known for {platform.machine()}")
    code = build_filter(machine, own_pid=own_pid)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(buffer))
    linux.prctl(linux.PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program))
