# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from overt.jobs import task
from overt.jobs.tasks.labels import Labels
from overt.jobs.tasks.moderation import Moderation
from overt.jobs.tasks.people import People
from overt.jobs.tasks.search import Search
from overt.jobs.tasks.segments import Segments
from overt.jobs.tasks.texts import Texts
from overt.models.filters import LabelFilter, WordFilter


@pytest.mark.parametrize(
    "sought",
    [
        Labels(0.5, LabelFilter(frozenset({"Dog"}))),
        Moderation(0.25, is_older=False),
        People(),
        Search("1", "people", 0.99),
        Segments(("SHOT",), 0.5, 0.6, 0.2, 99.0),
        Texts(WordFilter(0.8, regions=("POLYGON ((0 0, 1 0, 1 1, 0 0))",))),
    ],
)
def test_a_task_is_kept_as_text(sought: task.Task) -> None:
    assert task.read(task.write(sought)) == sought


def test_findings_have_whole_milliseconds_rounded_down() -> None:
    assert task.finding(1.2999, "a", "b").time == 1299
