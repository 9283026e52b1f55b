# SPDX-License-Identifier: Apache-2.0
"""A clock that stands still until a test moves it."""

from __future__ import annotations

import datetime as dt

from overt.testing.stores import NOON


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += dt.timedelta(**span)
