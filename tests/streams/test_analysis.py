# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from overt.streams.analysis import Sighting, Told
from overt.types import Box, Embedding, Face, Parcel

NOON = dt.datetime(2026, 1, 2, 12, 0, tzinfo=dt.UTC)


def sighting() -> Sighting:
    face = Face(Box(0, 0, 1, 1), 0.9, np.zeros((5, 2), np.float32))
    return Sighting(face, Embedding(np.ones(1, np.float32), "model-1"), NOON)


@pytest.mark.parametrize(
    ("told", "is_empty"),
    [
        (Told(), True),
        (Told(faces=3, named=frozenset({"a"}), collection="people"), True),
        (Told(parcels=(Parcel("key", "events:", "alert", "", b"{}", NOON),)), False),
        (Told(sightings=(sighting(),)), False),
    ],
)
def test_only_what_is_to_be_written_counts(told: Told, *, is_empty: bool) -> None:
    assert told.is_empty is is_empty


def test_a_sighting_has_one_id_however_often_it_is_written() -> None:
    one, other = sighting(), sighting()
    assert one.id != other.id
    assert one.id == one.id
