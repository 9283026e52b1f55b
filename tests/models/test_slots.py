# SPDX-License-Identifier: Apache-2.0
"""Every slot is filled or known, and each decoder that is named is one that code reads."""

from __future__ import annotations

from overt.models.hub import Hub
from overt.models.slots import SLOTS
from overt.models.tasks import objects


def test_the_default_packs_fill_every_slot_but_those_left_to_operators() -> None:
    filled = {model.task for model in Hub.discover().models}
    assert set(SLOTS) - filled == {"image_encoder", "text_encoder"} - filled


def test_every_family_of_detectors_is_read() -> None:
    assert set(SLOTS["objects"].decoders) == set(objects._DECODERS)
