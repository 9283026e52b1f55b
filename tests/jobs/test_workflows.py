# SPDX-License-Identifier: Apache-2.0
"""The queue, in processes of its own, as DBOS is one for a process: it goes on after kill -9, and tries again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# A desk that writes down what it is asked; it dies, stops or fails at the words given.
DESK = """
import os, signal, sys, time
from pathlib import Path
from overt.jobs import workflows
from overt.jobs.desk import StoppedError
folder, trouble = Path(sys.argv[1]), sys.argv[2]
class Desk:
    stopped = failed = False
    def note(self, words):
        with (folder / "log").open("a") as file:
            file.write(words + "\\n")
    def analyse(self, job):
        self.note(f"analyse {job}")
        if trouble == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if trouble == "fail" and not Desk.failed:
            Desk.failed = True
            raise OSError("the database is away")
        while trouble == "stop":
            time.sleep(0.05)
            if Desk.stopped:
                raise StoppedError
    def tell(self, job):
        self.note(f"tell {job}")
        (folder / "told").touch()
desk = Desk()
workflows.open_queue(desk, folder / "jobs.db", "one", 1)
for job in sys.argv[3:]:
    assert workflows.enqueue(job, 0)
    assert workflows.enqueue(job, 0)
end = time.monotonic() + 20
while not (folder / "told").exists() and time.monotonic() < end:
    if trouble == "stop" and (folder / "log").exists():
        break
    time.sleep(0.05)
time.sleep(0.5)
Desk.stopped = True
workflows.close_queue()
"""


def run(folder: Path, trouble: str, *jobs: str) -> int:
    command = [sys.executable, "-c", DESK, str(folder), trouble, *jobs]
    return subprocess.run(command, check=False, timeout=60).returncode


def log(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def test_a_job_is_analysed_then_told_once(tmp_path: Path) -> None:
    assert run(tmp_path, "", "a") == 0
    assert log(tmp_path) == ["analyse a", "tell a"]


def test_what_a_kill_interrupted_is_done_again_at_the_next_start(tmp_path: Path) -> None:
    assert run(tmp_path, "kill", "a") == -9
    assert run(tmp_path, "") == 0
    assert log(tmp_path) == ["analyse a", "analyse a", "tell a"]


def test_what_is_stopped_goes_on_at_the_next_start(tmp_path: Path) -> None:
    assert run(tmp_path, "stop", "a") == 0
    assert log(tmp_path) == ["analyse a"]
    assert run(tmp_path, "") == 0
    assert log(tmp_path) == ["analyse a", "analyse a", "tell a"]


def test_a_step_that_fails_is_taken_again(tmp_path: Path) -> None:
    assert run(tmp_path, "fail", "a") == 0
    assert log(tmp_path) == ["analyse a", "analyse a", "tell a"]


def test_an_attempt_that_is_over_is_not_taken_again(tmp_path: Path) -> None:
    assert run(tmp_path, "", "a") == 0
    again = [sys.executable, "-c", DESK.replace("assert workflows", "assert not workflows"), str(tmp_path), "", "a"]
    assert subprocess.run(again, check=False, timeout=60).returncode == 0
    assert log(tmp_path) == ["analyse a", "tell a"]
