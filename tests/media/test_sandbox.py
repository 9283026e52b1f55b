# SPDX-License-Identifier: Apache-2.0
"""The worker can do nothing but decode, and nothing that happens to it reaches the server."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from overt.media.sandbox import Sandbox
from overt.media.worker import GoneError, RejectedError, SlowError

LIMITS = {"side": 10_000, "pixels": 100_000_000}


def encoded(side: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    rows = np.random.default_rng(side).integers(0, 255, (side, side, 3), np.uint8)
    Pillow.fromarray(rows).save(file, kind)
    return file.getvalue()


def test_it_starts_at_once_and_is_ready_soon(sandbox: Sandbox) -> None:
    start = time.monotonic()
    sandbox.start()
    assert time.monotonic() - start < 0.5
    assert len(sandbox.pids) == 2


def test_a_bad_picture_keeps_the_worker(sandbox: Sandbox) -> None:
    with pytest.raises(RejectedError):
        sandbox.decode(b"\x89PNG nonsense", (90, 90), **LIMITS)
    before = sandbox.pids
    sandbox.decode(encoded(90), (90, 90), **LIMITS)
    assert sandbox.pids == before


def test_a_worker_killed_at_work_is_replaced_and_its_picture_not_lost() -> None:
    sandbox = Sandbox(1)
    sandbox.decode(encoded(90), (90, 90), **LIMITS)
    (pid,) = sandbox.pids
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
    assert sandbox.decode(encoded(500), (500, 500), **LIMITS).shape == (500, 500, 3)
    assert pid not in sandbox.pids
    sandbox.close()


def test_a_picture_that_ends_every_worker_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overt.media.worker._BOOT", "raise SystemExit(3)")
    sandbox = Sandbox(1)
    with pytest.raises(GoneError, match="ended"):
        sandbox.decode(encoded(90), (90, 90), **LIMITS)
    sandbox.close()


def test_a_worker_that_died_idle_costs_no_picture() -> None:
    sandbox = Sandbox(1)
    sandbox.decode(encoded(90), (90, 90), **LIMITS)
    os.kill(sandbox.pids[0], signal.SIGKILL)
    time.sleep(0.1)
    assert sandbox.decode(encoded(90), (90, 90), **LIMITS).shape == (90, 90, 3)
    sandbox.close()


def test_a_slow_picture_is_given_up() -> None:
    sandbox = Sandbox(1, seconds=0.2)
    _ = sandbox.confinement
    raw = encoded(2000)
    os.kill(sandbox.pids[0], signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(SlowError, match="too long"):
        sandbox.decode(raw, (2000, 2000), **LIMITS)
    assert time.monotonic() - start < 1
    assert sandbox.decode(encoded(90), (90, 90), **LIMITS).shape == (90, 90, 3)
    sandbox.close()


def test_the_worker_checks_limits_itself(sandbox: Sandbox) -> None:
    with pytest.raises(RejectedError, match="too many pixels"):
        sandbox.decode(encoded(200), (200, 200), side=199, pixels=10**9)


def test_too_little_memory_is_a_refusal() -> None:
    sandbox = Sandbox(1, memory=256 << 20)
    raw = io.BytesIO()
    Pillow.new("RGB", (9000, 9000)).save(raw, "PNG", compress_level=1)
    with pytest.raises(RejectedError):
        sandbox.decode(raw.getvalue(), (9000, 9000), **LIMITS)
    assert sandbox.decode(encoded(90), (90, 90), **LIMITS).shape == (90, 90, 3)
    sandbox.close()


def test_an_answer_of_another_size_is_not_believed(sandbox: Sandbox) -> None:
    with pytest.raises(GoneError, match="no sense"):
        sandbox.decode(encoded(90), (80, 90), **LIMITS)


def test_workers_are_replaced_in_time() -> None:
    sandbox = Sandbox(1, pictures=2)
    seen = set()
    for _ in range(4):
        sandbox.decode(encoded(90), (90, 90), **LIMITS)
        seen.update(sandbox.pids)
    assert len(seen) == 2
    sandbox.close()


def test_many_threads(sandbox: Sandbox) -> None:
    raws = {side: encoded(side) for side in (90, 120, 300, 700)}

    def one(side: int) -> bool:
        return sandbox.decode(raws[side], (side, side), **LIMITS).shape == (side, side, 3)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, list(raws) * 20))
    assert len(sandbox.pids) <= 2


def test_workers_end_with_the_server(tmp_path: Path) -> None:
    program = (
        "import sys, os\nfrom overt.media.sandbox import Sandbox\ns = Sandbox(1)\ns.confinement\n"
        "print(s.pids[0], flush=True)\nos._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p)),
    )  # fmt: skip
    pid = int(done.stdout)
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the worker outlived its server")


def test_closed_means_closed() -> None:
    sandbox = Sandbox(1)
    sandbox.start()
    sandbox.close()
    assert sandbox.pids == ()
    with pytest.raises(RuntimeError, match="closed"):
        sandbox.decode(encoded(90), (90, 90), **LIMITS)
