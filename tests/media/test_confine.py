# SPDX-License-Identifier: Apache-2.0
"""A confined process can do nothing but read, compute and write; the filter says so on every processor we name."""

from __future__ import annotations

import itertools
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from overt.media import confine
from overt.media.sandbox import Sandbox

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has system-call filters")
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000

# Numbers as the kernel's tables have them (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
NEEDED = {
    "x86_64": {"read": 0, "write": 1, "munmap": 11, "brk": 12, "exit_group": 231},
    "aarch64": {"read": 63, "write": 64, "munmap": 215, "brk": 214, "exit_group": 94},
}
DANGEROUS = {
    "x86_64": {
        "open": 2, "openat": 257, "openat2": 437, "socket": 41, "connect": 42, "clone": 56, "clone3": 435, "fork": 57,
        "vfork": 58, "execve": 59, "execveat": 322, "kill": 62, "tgkill": 234, "ptrace": 101, "prctl": 157,
        "process_vm_readv": 310, "process_vm_writev": 311, "memfd_create": 319, "seccomp": 317, "io_uring_setup": 425,
        "pkey_mprotect": 329, "ioctl": 16, "bpf": 321, "getdents64": 217, "unlink": 87, "pidfd_getfd": 438,
    },
    "aarch64": {
        "openat": 56, "openat2": 437, "socket": 198, "connect": 203, "clone": 220, "clone3": 435, "execve": 221,
        "execveat": 281, "kill": 129, "tgkill": 131, "ptrace": 117, "prctl": 167, "process_vm_readv": 270,
        "process_vm_writev": 271, "memfd_create": 279, "seccomp": 277, "io_uring_setup": 425, "pkey_mprotect": 288,
        "ioctl": 29, "bpf": 280, "getdents64": 61, "unlinkat": 35, "pidfd_getfd": 438,
    },
}  # fmt: skip
MEMORY = {"x86_64": (9, 10), "aarch64": (222, 226)}  # mmap, mprotect
READ, WRITE, EXECUTE = 1, 2, 4


def verdict(
    machine: str,
    number: int,
    *,
    protection: int = 0,
    architecture: int | None = None,
    reach: confine.Reach = confine.Reach.NOTHING,
    first: tuple[int, int] = (0, 0),
) -> int:
    """What the kernel would answer a call: the filter, followed instruction by instruction."""
    code = confine.program(machine, reach)
    lines = [struct.unpack_from("HBBI", code, at) for at in range(0, len(code), 8)]
    arguments = (*first, protection, 0, 0, 0)
    call = struct.pack("<IIQ6Q", number, MACHINES[machine] if architecture is None else architecture, 0, *arguments)
    at = word = 0
    while True:
        operation, if_true, if_false, operand = lines[at]
        at += 1
        if operation == 0x06:
            return operand
        if operation == 0x20:
            (word,) = struct.unpack_from("<I", call, operand)
            continue
        if operation == 0x54:
            word &= operand
            continue
        holds = {0x15: word == operand, 0x35: word >= operand, 0x45: bool(word & operand)}[operation]
        at += if_true if holds else if_false


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has system-call filters")
def test_the_worker_is_confined(sandbox: Sandbox) -> None:
    lines = sandbox.attempts()
    assert len(lines) == 12
    assert all(line.endswith("refused") for line in lines), lines
    assert sandbox.confinement.startswith("system-call filter")
    status = Path(f"/proc/{sandbox.pids[0]}/status").read_text()
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    assert Path(f"/proc/{sandbox.pids[0]}/environ").read_bytes().count(b"=") <= 3


def test_filters_are_well_formed() -> None:
    for machine, reach in itertools.product(("x86_64", "aarch64"), confine.Reach):
        code = confine.program(machine, reach)
        assert len(code) % 8 == 0
        assert len(code) // 8 < 256  # jumps are one byte


@pytest.mark.parametrize("machine", MACHINES)
def test_what_decoding_needs_is_allowed(machine: str) -> None:
    assert {name: verdict(machine, number) for name, number in NEEDED[machine].items()} == dict.fromkeys(
        NEEDED[machine], ALLOW
    )


@pytest.mark.parametrize("machine", MACHINES)
def test_what_an_intruder_needs_is_refused(machine: str) -> None:
    """Files, sockets, processes, other processes' memory, and lifting the filter."""
    assert {name: verdict(machine, number) for name, number in DANGEROUS[machine].items()} == dict.fromkeys(
        DANGEROUS[machine], REFUSE
    )


@pytest.mark.parametrize("machine", MACHINES)
def test_memory_may_be_had_but_never_executed(machine: str) -> None:
    for number in MEMORY[machine]:
        for protection in (0, READ, READ | WRITE):
            assert verdict(machine, number, protection=protection) == ALLOW
        for protection in (EXECUTE, READ | EXECUTE, READ | WRITE | EXECUTE):
            assert verdict(machine, number, protection=protection) == REFUSE


@pytest.mark.parametrize("machine", MACHINES)
def test_everything_that_is_not_listed_is_refused(machine: str) -> None:
    """All numbers the kernel has or may get; few of them pass."""
    allowed = [number for number in range(1000) if verdict(machine, number) == ALLOW]
    assert len(allowed) < 35
    assert all(verdict(machine, number) == REFUSE for number in (1000, 0x3FFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF))


SOCKET, FCNTL, IOCTL = {"x86_64": 41, "aarch64": 198}, {"x86_64": 72, "aarch64": 25}, {"x86_64": 16, "aarch64": 29}
CONNECT, BIND, LISTEN = {"x86_64": 42, "aarch64": 203}, {"x86_64": 49, "aarch64": 200}, {"x86_64": 50, "aarch64": 201}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_reader_of_the_network_makes_tcp_connections_and_nothing_else(machine: str) -> None:
    network = confine.Reach.NETWORK

    def answer(number: int, *first: int) -> bool:
        return verdict(machine, number, reach=network, first=(first[0], first[1])) == ALLOW

    cloexec = 0o2000000
    assert answer(SOCKET[machine], 2, 1 | cloexec)  # IPv4, IPv6
    assert answer(SOCKET[machine], 10, 1)
    for family, kind in ((2, 2), (2, 3), (10, 2), (1, 1), (16, 3), (17, 3), (40, 1)):  # UDP, raw, Unix, netlink, ...
        assert not answer(SOCKET[machine], family, kind)
    assert answer(CONNECT[machine], 0, 0)
    assert not answer(BIND[machine], 0, 0)
    assert not answer(LISTEN[machine], 0, 0)
    assert [command for command in range(2000) if answer(FCNTL[machine], 3, command)] == [0, 1, 2, 3, 4]
    assert not answer(IOCTL[machine], 3, 0xC0585609)
    refused = {name for name in DANGEROUS[machine] if not answer(DANGEROUS[machine][name], 0, 0)}
    assert refused == DANGEROUS[machine].keys() - {"connect"}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_reader_of_a_device_asks_it_for_pictures_and_nothing_else(machine: str) -> None:
    device = confine.Reach.DEVICE
    for request, holds in ((0xC0585611, True), (0x40045612, True), (0x5412, False), (0x8904, False), (0, False)):
        assert (verdict(machine, IOCTL[machine], reach=device, first=(3, request)) == ALLOW) == holds, hex(request)
    for name, number in DANGEROUS[machine].items():
        assert verdict(machine, number, reach=device) == REFUSE, name


def test_calls_of_another_architecture_are_no_way_out() -> None:
    """32-bit calls end the process; x32 calls, which share the 64-bit ones' name, are refused."""
    assert verdict("x86_64", 3, architecture=0x40000003) == KILL
    assert verdict("aarch64", 3, architecture=0x40000028) == KILL
    for number in NEEDED["x86_64"].values():
        assert verdict("x86_64", 0x40000000 | number) == REFUSE


def process(program: str) -> Any:
    """What a process of its own prints, as JSON."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@LINUX
def test_confinement_is_for_good_and_for_this_process_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    told = process(
        "import json, os\nfrom overt.media import confine\nwords = confine.confine()\n"
        f"try:\n    os.open({str(tmp_path / 'file')!r}, os.O_RDONLY)\n    opened = 'opened'\n"
        "except PermissionError as error:\n    opened = error.strerror\n"
        "print(json.dumps([words, opened]), flush=True)\nos._exit(0)"
    )
    assert told == ["", "Operation not permitted"]
    assert (tmp_path / "file").read_text() == "x"


def test_limits_hold_memory_and_files() -> None:
    told = process(
        "import json, os, sys\nfrom overt.media import confine\nconfine.limit(1 << 30)\ntold = []\n"
        "for act in (lambda: bytearray(1 << 31), lambda: [os.dup(0) for _ in range(8)]):\n"
        "    try:\n        act()\n        told.append('allowed')\n"
        "    except (MemoryError, OSError) as error:\n        told.append(type(error).__name__)\n"
        "print(json.dumps(told))"
    )
    assert told == ["MemoryError", "OSError"]


def test_limits_below_ours_are_kept() -> None:
    """A host that allows less than we would is not an error."""
    told = process(
        "import json, resource\nfrom overt.media import confine\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\nconfine.limit(1 << 40)\n"
        "print(json.dumps(resource.getrlimit(resource.RLIMIT_AS)))"
    )
    assert told == [1 << 30, 1 << 30]
