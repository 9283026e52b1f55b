# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from overt.jobs.tasks.sights import name


def test_names_are_in_the_order_of_their_numbers() -> None:
    numbers = [0, 2, 10, 99, 100, 123456]
    assert sorted(map(name, numbers)) == [name(number) for number in numbers]
