# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from overt.settings import Settings


def test_every_setting_is_shown_with_its_value_variable_and_meaning(told: Callable[..., Any]) -> None:
    rows = {row["setting"]: row for row in told("config", "show")["settings"]}
    assert set(rows) == set(Settings.model_fields)
    assert rows["port"] == {
        "setting": "port",
        "value": 8750,
        "variable": "OVERT_PORT",
        "meaning": "Port the server listens on; 0 = any free one.",
    }
