# SPDX-License-Identifier: Apache-2.0
"""DetectModerationLabels through boto3: what was found, and that silence about a category is never a "safe"."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from overt.models.hub import Hub
from overt.models.taxonomy.unsafe import LEVELS
from overt.testing import networks


@pytest.fixture
def coffee(photos: Path) -> dict[str, bytes]:
    return {"Bytes": (photos / "coffee.png").read_bytes()}


def test_an_ordinary_picture_has_no_labels_and_the_unsupported_are_named(client: Any, coffee: Any) -> None:
    answer = client.detect_moderation_labels(Image=coffee)
    assert answer["ModerationLabels"] == []
    assert answer["ContentTypes"] == []
    assert answer["ModerationModelVersion"] == "7.0"
    omitted = answer["ResponseMetadata"]["HTTPHeaders"]["x-overt-omitted"].split(", ")
    assert {"Graphic Violence", "Hate Symbols", "Smoking", "Animated"} <= set(omitted)
    assert not {"Explicit Nudity", "Weapons", "Alcoholic Beverages", "Gambling"} & set(omitted)
    assert set(omitted) == set(Hub.discover().moderation.unsupported)


def test_with_no_threshold_every_supported_label_comes_with_its_level_and_parent(client: Any, coffee: Any) -> None:
    labels = client.detect_moderation_labels(Image=coffee, MinConfidence=0)["ModerationLabels"]
    found = {label["Name"]: label for label in labels}
    for name, label in found.items():
        level, parent = LEVELS[name]
        assert (label["TaxonomyLevel"], label["ParentName"]) == (level, parent)
        if parent:
            assert found[parent]["Confidence"] >= label["Confidence"]
    assert {"Alcohol", "Alcoholic Beverages", "Explicit", "Explicit Nudity", "Gambling"} <= set(found)
    assert "Smoking" not in found


@pytest.mark.parametrize(
    ("words", "error", "detail"),
    [
        (
            {"HumanLoopConfig": {"HumanLoopName": "a", "FlowDefinitionArn": "arn:x"}},
            "InvalidParameterException",
            "HumanLoopConfig is not offered",
        ),
        (
            {"ProjectVersion": "arn:aws:rekognition:us-east-1:000000000001:project/a/version/b/1690000000000"},
            "ResourceNotFoundException",
            "adapters",
        ),
    ],
)
def test_what_is_not_offered_is_refused(client: Any, coffee: Any, words: Any, error: str, detail: str) -> None:
    with pytest.raises(client.exceptions.ClientError) as told:
        client.detect_moderation_labels(Image=coffee, **words)
    assert told.value.response["Error"]["Code"] == error
    assert detail in told.value.response["ResponseMetadata"]["HTTPHeaders"]["x-overt-detail"]


def test_labels_under_their_older_names(
    overt: Callable[..., Any], start_server: Callable[..., Any], tmp_path: Path, coffee: Any
) -> None:
    manifest = networks.classifier(tmp_path / "made", "moderation", ["Smoking", "Weapons", ""])
    assert overt("models", "add", f"manifest={manifest}", "--home", tmp_path / "home").returncode == 0
    client = start_server(tmp_path / "home", OVERT_MODERATION_VERSION="6.1").client()
    answer = client.detect_moderation_labels(Image=coffee, MinConfidence=10)
    found = {(label["Name"], label["ParentName"]) for label in answer["ModerationLabels"]}
    assert {("Smoking", "Tobacco"), ("Tobacco", ""), ("Weapons", "Violence"), ("Violence", "")} <= found
    assert answer["ModerationModelVersion"] == "6.1"


def wine_bottle() -> bytes:
    """A bottle of red wine as a PNG: dark green glass with a shine, red foil, a paper label.

    Drawn, as no photograph of one is at hand; the tagger takes it for what it is meant to be.
    """
    side = 400
    across, down = np.meshgrid(np.linspace(-0.5, 0.5, side), np.linspace(0, 1, side))
    heights = (0.05, 0.06, 0.08, 0.085, 0.25, 0.31, 0.37, 0.43, 0.93, 0.955)
    widths = (0.026, 0.034, 0.034, 0.0285, 0.0285, 0.043, 0.112, 0.14, 0.14, 0.126)
    place = across / np.interp(down, heights, widths, left=1e-6, right=1e-6)
    roundness = np.clip(1 - 0.75 * np.abs(place) ** 3, 0, 1)[..., None]
    shine = 80 * np.exp(-(((place + 0.55) / 0.1) ** 2))[..., None]
    bottle = np.where(down[..., None] < 0.235, (96, 14, 24), (18, 34, 20)) * roundness + shine
    paper = ((down > 0.58) & (down < 0.78))[..., None]
    bottle = np.where(paper, np.array((244, 238, 220)) * (0.15 + 0.85 * roundness), bottle)
    pixels = np.where(np.abs(place)[..., None] <= 1, bottle, (200, 190, 180)).clip(0, 255).astype(np.uint8)
    picture = Pillow.fromarray(pixels)
    for row, word in enumerate(("RED WINE", "GRAND CRU")):
        at = side / 2, side * (0.63 + 0.085 * row)
        ImageDraw.Draw(picture).text(at, word, (70, 20, 20), ImageFont.load_default(14), "mm")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_bottle_of_wine_is_alcohol(client: Any) -> None:
    image = {"Bytes": wine_bottle()}
    found = {label["Name"]: label for label in client.detect_moderation_labels(Image=image)["ModerationLabels"]}
    assert set(found) == {"Alcohol", "Alcoholic Beverages"}
    assert found["Alcoholic Beverages"]["ParentName"] == "Alcohol"
    labels = {label["Name"]: label for label in client.detect_labels(Image=image)["Labels"]}
    assert {parent["Name"] for parent in labels["Wine"]["Parents"]} >= {"Alcohol", "Beverage"}
