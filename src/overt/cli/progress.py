# SPDX-License-Identifier: Apache-2.0
"""How far long work has come, on standard error. Knows nothing of the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


def bars(*, quiet: bool, in_percent: bool = False) -> Progress:
    """Bars that count up to a total, or to 100 %, and say how long the rest will take."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn() if in_percent else MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet,
    )


@contextmanager
def steps(words: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """One bar, in percent, while the block runs; what it gives is told how much more is done."""
    with bars(quiet=quiet, in_percent=True) as bar:
        task = bar.add_task(words, total=total)
        yield lambda more: bar.advance(task, more)
