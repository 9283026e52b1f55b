# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from overt.models import matching
from overt.models.calibration import Calibration
from overt.models.hub import Hub


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return Hub.discover().faces.calibration


@pytest.mark.parametrize("similarity", [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99, 1.0])
def test_a_face_exactly_at_the_threshold_is_a_match(calibration: Calibration, similarity: float) -> None:
    cosine = calibration.cosine(similarity)
    assert cosine >= matching.cosine_floor(calibration, similarity)
    (match,) = matching.matches(calibration, [("somebody", cosine)], similarity)
    assert match.similarity == pytest.approx(similarity, abs=1e-6)
    assert (match.subject, match.rank) == ("somebody", 1)


def test_what_is_less_alike_is_no_match(calibration: Calibration) -> None:
    cosine = calibration.cosine(0.8) - 1e-4
    assert matching.matches(calibration, [("somebody", cosine)], 0.8) == ()
