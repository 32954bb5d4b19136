import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.service import seccomp
from plainview.service.seccomp import ALLOW, CLONE3, CLONE_THREAD, KILL, MACHINES, REFUSE, build_filter

OWN_PID = 7
EPERM = REFUSE | errno.EPERM
machines = pytest.mark.parametrize("name", sorted(MACHINES))


def answer(name, number, *arguments, audit_number=None):
    """Run the filter as the kernel would; its verifier also demands what is asserted here."""
    machine = MACHINES[name]
    code = build_filter(machine, own_pid=OWN_PID)
    steps = list(struct.iter_unpack("=HBBI", code))
    assert len(steps) <= 4096
    values = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    audit = machine.audit_number if audit_number is None else audit_number
    memory = struct.pack("<IIQ6Q", number, audit, 0, *values)
    at, word = 0, 0
    while True:
        operation, if_true, if_false, value = steps[at]
        at += 1
        if operation == seccomp.LOAD_WORD:
            assert value % 4 == 0
            (word,) = struct.unpack_from("<I", memory, value)
        elif operation == seccomp.RETURN:
            return value
        else:
            holds = {
                seccomp.JUMP_EQUAL: word == value,
                seccomp.JUMP_AT_LEAST: word >= value,
                seccomp.JUMP_ANY_BIT: bool(word & value),
            }[operation]
            at += if_true if holds else if_false


@machines
def test_another_machines_numbers_are_killed(name):
    assert answer(name, 0, audit_number=0x40000003) == KILL


def test_the_other_numbering_of_the_same_processor_is_killed():
    assert answer("x86_64", seccomp.X32_NUMBERS_FROM + 1) == KILL


@machines
def test_no_decoder_runs_a_program_or_looks_into_another(name):
    for call, number in MACHINES[name].killed.items():
        assert answer(name, number) == KILL, call
    assert {"execve", "execveat", "ptrace", "process_vm_readv", "mount", "bpf"} <= set(MACHINES[name].killed)


@machines
def test_network_files_and_new_processes_are_refused(name):
    refused = {**MACHINES[name].refused, **seccomp.REFUSED_EVERYWHERE}
    for call, number in refused.items():
        assert answer(name, number) == EPERM, call
    assert {
        "socket",
        "openat",
        "openat2",
        "kill",
        "unshare",
        "io_uring_setup",
        "memfd_create",
        "fchmod",
    } <= set(refused)


@machines
def test_no_number_stands_for_two_calls(name):
    machine = MACHINES[name]
    numbers = [*machine.killed.values(), *machine.refused.values(), *seccomp.REFUSED_EVERYWHERE.values()]
    numbers += [CLONE3, machine.clone, machine.prctl, machine.tgkill, machine.prlimit64]
    assert len(numbers) == len(set(numbers))


@machines
def test_threads_are_allowed_and_processes_are_not(name):
    clone = MACHINES[name].clone
    assert answer(name, clone, CLONE_THREAD | 0x3D0F00 & ~CLONE_THREAD | CLONE_THREAD) == ALLOW
    assert answer(name, clone, 17) == EPERM
    assert answer(name, clone, 1 << 48 | 17) == EPERM
    assert answer(name, CLONE3) == REFUSE | errno.ENOSYS


@machines
def test_only_its_own_threads_can_be_signalled(name):
    assert answer(name, MACHINES[name].tgkill, OWN_PID, OWN_PID, 6) == ALLOW
    assert answer(name, MACHINES[name].tgkill, 1, 1, 9) == EPERM


@machines
@given(option=st.integers(0, 2**32 - 1))
def test_of_prctl_only_naming_is_allowed(name, option):
    allowed = {seccomp.PR_SET_NAME, seccomp.PR_GET_NAME, seccomp.PR_SET_VMA}
    assert answer(name, MACHINES[name].prctl, option) == (ALLOW if option in allowed else EPERM)


@machines
@pytest.mark.parametrize("option", [seccomp.PR_SET_NAME, seccomp.PR_GET_NAME, seccomp.PR_SET_VMA])
def test_naming_is_allowed(name, option):
    assert answer(name, MACHINES[name].prctl, option) == ALLOW


@machines
@pytest.mark.parametrize(("pointer", "verdict"), [(0, ALLOW), (0x7FFF0000, EPERM), (1 << 32, EPERM)])
def test_limits_can_be_read_and_not_set(name, pointer, verdict):
    assert answer(name, MACHINES[name].prlimit64, 0, 6, pointer) == verdict


@given(st.integers(0, 460))
def test_every_number_gets_an_answer_and_most_are_allowed(number):
    machine = MACHINES["x86_64"]
    special = {machine.clone, machine.prctl, machine.tgkill, machine.prlimit64, CLONE3}
    named = {
        *machine.killed.values(),
        *machine.refused.values(),
        *seccomp.REFUSED_EVERYWHERE.values(),
    } | special
    assert number in named or answer("x86_64", number) == ALLOW


@machines
def test_reading_memory_and_time_are_allowed(name):
    for number in {
        "x86_64": (0, 1, 3, 9, 11, 17, 202, 228, 231, 318),
        "aarch64": (63, 64, 57, 222, 215, 67, 98, 113, 94, 278),
    }[name]:
        assert answer(name, number) == ALLOW
