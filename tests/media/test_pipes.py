# SPDX-License-Identifier: Apache-2.0
"""What goes into a worker's pipes comes out whole, however little they hold at once."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from overt.media.frames import ANSWER, WORDS, WORDS_LIMIT


def worker(program: str, said: bytes = b"") -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", f"import numpy as np\nfrom overt.media import pipes\n{program}"],
        input=said, capture_output=True, check=True, timeout=60, env=dict(os.environ, OPENBLAS_NUM_THREADS="1"),
    )  # fmt: skip
    return done.stdout


def test_as_many_bytes_as_asked_for_or_none() -> None:
    raw = np.random.default_rng(0).bytes(3_000_000)
    program = (
        "a = pipes.read(1_000_000); b = pipes.read(2_000_000); c = pipes.read(1); pipes.write(b + a)\nassert c is None"
    )
    assert worker(program, raw) == raw[1_000_000:] + raw[:1_000_000]
    assert worker("assert pipes.read(10) is None", b"half") == b""
    assert worker("assert pipes.read(0) == b''") == b""


def test_words_are_cut_to_what_an_answer_may_hold() -> None:
    said = worker("pipes.say(b'W', 'so \\u00e4nd so'); pipes.say(b'W', 'x' * 99999)")
    first = "so änd so".encode()
    assert said.startswith(ANSWER.pack(WORDS, 0, 0, len(first)) + first + ANSWER.pack(WORDS, 0, 0, WORDS_LIMIT))
    assert len(said) == 2 * ANSWER.size + len(first) + WORDS_LIMIT


@pytest.mark.parametrize("view", ["rows", "rows[::-1]", "rows[:, ::-1]", "rows.swapaxes(0, 1)", "rows[:, :500]"])
def test_rows_come_in_order_however_they_lie(view: str) -> None:
    make = "rows = np.arange(700 * 900 * 3, dtype=np.uint32).astype(np.uint8).reshape(700, 900, 3)"
    rows = np.arange(700 * 900 * 3, dtype=np.uint32).astype(np.uint8).reshape(700, 900, 3)
    assert worker(f"{make}\npipes.write_rows({view})") == eval(view, {"rows": rows}).tobytes()
