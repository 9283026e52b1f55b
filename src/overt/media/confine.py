# SPDX-License-Identifier: Apache-2.0
"""Gives up, for good, what a decoder never needs. Runs inside the worker; knows nothing of pictures or videos.

After `confine` the process can read and write the pipes it has, use memory and end. It cannot open a file, make a
socket, start a process or thread, or touch another process. Linux on x86-64 and aarch64 do this with a seccomp
filter; elsewhere only the resource limits hold, and the words returned say so.

A reader of live streams may be left one thing more (`Reach`). With NETWORK it can make TCP connections, to any address:
a filter of calls cannot see which. It can neither listen nor use UDP, so that names must be resolved before. With
DEVICE it can ask what it has open already for pictures (V4L2's ioctls).
"""

from __future__ import annotations

import _socket  # this and the next two only for `attempts`, which can import nothing any more
import _thread
import ctypes
import enum
import mmap
import os
import platform
import struct
import sys
from collections.abc import Callable

_NO_NEW_PRIVS, _SECCOMP, _FILTER_MODE = 38, 22, 2
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
"""Filter answers: allow, fail with EPERM, end the process. Source: linux/seccomp.h."""
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
"""Classic BPF: load a word, jump if equal, at least, or any bit set, return, mask. Source: linux/bpf_common.h."""
_NUMBER, _ARCHITECTURE, _ARGUMENT_0, _ARGUMENT_1, _ARGUMENT_2 = 0, 4, 16, 24, 32
"""Offsets in struct seccomp_data; arguments are 64 bits from offset 16. Source: linux/seccomp.h."""
_EXECUTABLE = 0x4
_X32 = 0x40000000
"""Bit of the x32 calls on x86-64, which a filter by number must not let through."""

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH values. Source: linux/audit.h."""

_CALLS = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "readv": 19, "writev": 20, "sched_yield": 24,
        "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "getrlimit": 97, "getrusage": 98,
        "sigaltstack": 131, "gettid": 186, "futex": 202, "clock_gettime": 228, "clock_nanosleep": 230,
        "exit_group": 231, "getrandom": 318,
    },
    "aarch64": {
        "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66, "ppoll": 73, "fstat": 80,
        "exit": 93, "exit_group": 94, "futex": 98, "nanosleep": 101, "clock_gettime": 113, "clock_nanosleep": 115,
        "sched_yield": 124, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139,
        "getrusage": 165, "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "madvise": 233,
        "getrandom": 278,
    },
}  # fmt: skip
"""System calls allowed whatever their arguments. Source: the kernel's tables for each architecture."""

_MEMORY_CALLS = {"x86_64": {"mmap": 9, "mprotect": 10}, "aarch64": {"mmap": 222, "mprotect": 226}}
"""Allowed unless they would make memory executable: nothing new is ever loaded."""


_NETWORK_CALLS = {
    "x86_64": {
        "connect": 42, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "shutdown": 48, "getsockname": 51,
        "getpeername": 52, "setsockopt": 54, "getsockopt": 55,
    },
    "aarch64": {
        "connect": 203, "getsockname": 204, "getpeername": 205, "sendto": 206, "recvfrom": 207, "setsockopt": 208,
        "getsockopt": 209, "shutdown": 210, "sendmsg": 211, "recvmsg": 212,
    },
}  # fmt: skip
"""Allowed with NETWORK whatever their arguments. Without bind and listen nobody can connect to the process."""
_SOCKET, _FCNTL, _IOCTL = {"x86_64": 41, "aarch64": 198}, {"x86_64": 72, "aarch64": 25}, {"x86_64": 16, "aarch64": 29}
_IPV4, _IPV6, _STREAM, _KIND_OF_SOCKET = 2, 10, 1, 0xF
"""What a socket may be. Source: linux/socket.h, linux/net.h."""
_F_GETLK = 5
"""fcntl commands below set flags; F_SETOWN, above, would have signals sent to others. Source: fcntl.h."""
_IOCTL_KIND, _V4L2 = 0xFF00, 0x5600
"""Bits of an ioctl's number that say whose it is, and V4L2's. Source: linux/videodev2.h."""


class Reach(enum.Enum):
    """What a confined process may do beyond its pipes."""

    NOTHING = "nothing"
    NETWORK = "network"
    DEVICE = "device"


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def limit(memory: int, files: int = 4, *, writes: bool = False) -> None:
    """Caps address space (bytes), open files, processes, file writes and core dumps of this process.

    Args: files: that may be open. writes: whether it may make a file that it was given longer.

    CPU time is capped by each worker program, not here.
    """
    import resource  # noqa: PLC0415 - absent on Windows

    for name, value in (
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", resource.RLIM_INFINITY if writes else 0),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_NOFILE", files),
        ("RLIMIT_AS", memory),
    ):
        kind = getattr(resource, name, None)
        if kind is not None:
            _, hard = resource.getrlimit(kind)
            if hard != resource.RLIM_INFINITY:
                value = hard if value == resource.RLIM_INFINITY else min(value, hard)  # noqa: PLW2901
            resource.setrlimit(kind, (value, value))


def confine(reach: Reach = Reach.NOTHING) -> str:
    """Installs the system-call filter on this process, which must have one thread.

    Args: reach: what it may do beyond its pipes.
    Returns: "" when it holds, else why there is none, in words for an operator.
    """
    machine = platform.machine()
    if sys.platform != "linux":
        return f"no system-call filter on {sys.platform}"
    if machine not in _ARCHITECTURES:
        return f"no system-call filter on {machine}"
    libc = ctypes.CDLL(None, use_errno=True)
    code = program(machine, reach)
    filter_ = _Program(len(code) // 8, code)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return f"the kernel refused no_new_privs (errno {ctypes.get_errno()})"
    if libc.prctl(_SECCOMP, _FILTER_MODE, ctypes.byref(filter_), 0, 0) != 0:
        return f"the kernel refused the system-call filter (errno {ctypes.get_errno()})"
    return ""


def program(machine: str, reach: Reach = Reach.NOTHING) -> bytes:
    """The filter as BPF: calls of the tables above are allowed, every other one fails with EPERM.

    Args: machine: a key of the tables. Returns: 8 bytes for each instruction.
    """
    allowed = sorted(_CALLS[machine].values())
    if reach is Reach.NETWORK:
        allowed += sorted(_NETWORK_CALLS[machine].values())
    guarded = sorted(_MEMORY_CALLS[machine].values())
    # One line after another, each (code, jump if true, jump if false, operand); jumps count lines to skip.
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE),
    ]
    for number in guarded:
        lines += [
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _ARGUMENT_2),
            (_ANY_BIT, 0, 1, _EXECUTABLE),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    if reach is Reach.NETWORK:
        lines += [
            (_EQUAL, 0, 9, _SOCKET[machine]),
            (_LOAD, 0, 0, _ARGUMENT_0),
            (_EQUAL, 2, 0, _IPV4),
            (_EQUAL, 1, 0, _IPV6),
            (_RETURN, 0, 0, _REFUSE),
            (_LOAD, 0, 0, _ARGUMENT_1),
            (_AND, 0, 0, _KIND_OF_SOCKET),
            (_EQUAL, 1, 0, _STREAM),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
            (_EQUAL, 0, 4, _FCNTL[machine]),
            (_LOAD, 0, 0, _ARGUMENT_1),
            (_AT_LEAST, 0, 1, _F_GETLK),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    if reach is Reach.DEVICE:
        lines += [
            (_EQUAL, 0, 5, _IOCTL[machine]),
            (_LOAD, 0, 0, _ARGUMENT_1),
            (_AND, 0, 0, _IOCTL_KIND),
            (_EQUAL, 1, 0, _V4L2),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for number in allowed:
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    lines.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def attempts() -> list[str]:
    """Try what a taken-over decoder would try. Returns: one line each, ending in "refused" or "ALLOWED"."""

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    trials: dict[str, Callable[[], object]] = {
        "read a file": lambda: os.open("/etc/hostname", os.O_RDONLY),
        "write a file": lambda: os.open("/tmp/overt-attempt", os.O_WRONLY | os.O_CREAT),  # noqa: S108
        "list a folder": lambda: os.scandir("/"),
        "make a socket": _socket.socket,
        "make a socket of this machine": lambda: _socket.socket(_socket.AF_UNIX),
        "send without a connection": lambda: _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM),
        "be connected to": lambda: _socket.socket().bind(("127.0.0.1", 0)),
        "start a process": fork,
        "start a thread": lambda: _thread.start_new_thread(int, ()),
        "become another program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
        "signal the server": lambda: os.kill(os.getppid(), 0),
        "make memory executable": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    }
    lines = []
    for name, trial in trials.items():
        try:
            trial()
        except (OSError, RuntimeError) as error:
            lines.append(f"{name}: {error}: refused")
        else:
            lines.append(f"{name}: ALLOWED")
    return lines
