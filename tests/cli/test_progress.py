# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from overt.cli import progress


@pytest.mark.parametrize("quiet", [True, False])
def test_bars_are_drawn_on_standard_error_unless_quiet(*, quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bars(quiet=quiet) as bar:
        bar.advance(bar.add_task("counting", total=2))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("1/2" in printed.err) is not quiet


def test_steps_are_told_as_they_are_done(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.steps("saving", 3, quiet=False) as advance:
        advance(2)
        advance(1)
    assert "100%" in capsys.readouterr().err
