# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from overt.cli import reports


def test_every_report_can_be_asked_for() -> None:
    names = [command.name for command in reports.app.registered_commands]
    assert names == ["base-rate", "fairness", "replay", "card", "usage"]
