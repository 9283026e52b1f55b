# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from overt.cli.lock import HeldError, held

_HOLDER = """
import sys, time
from pathlib import Path
from overt.cli.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_it_is_held_by_one_at_a_time_and_names_who(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path):
        with pytest.raises(HeldError) as caught, held(path):
            pass
        assert caught.value.pid == os.getpid()
        assert path.stat().st_mode & 0o777 == 0o600
    with held(path):
        pass


def test_a_longer_process_id_before_leaves_nothing_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("123456789012345\n")
    with held(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_a_process_that_is_killed_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(HeldError) as caught, held(path):
            pass
        assert caught.value.pid == holder.pid
        holder.kill()
    with held(path):
        pass


def test_who_does_not_say_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path):
        path.write_text("")
        with pytest.raises(HeldError) as caught, held(path):
            pass
    assert caught.value.pid == 0
