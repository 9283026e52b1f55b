# SPDX-License-Identifier: Apache-2.0
"""DetectLabels through boto3: what pictures show, what callers filter, how pictures look."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from overt.testing import networks


def png(pixels: Any) -> dict[str, bytes]:
    buffer = io.BytesIO()
    Pillow.fromarray(np.asarray(pixels, np.uint8)).save(buffer, "PNG")
    return {"Bytes": buffer.getvalue()}


@pytest.fixture
def coffee(photos: Path) -> dict[str, bytes]:
    return {"Bytes": (photos / "coffee.png").read_bytes()}


@pytest.fixture
def dog(shared_data: Path) -> dict[str, bytes]:
    return {"Bytes": (shared_data / "azure_vision/images/dog.jpg").read_bytes()}


def names(answer: dict[str, Any]) -> list[str]:
    return [label["Name"] for label in answer["Labels"]]


def test_the_dog_is_a_dog_a_pet_and_an_animal_and_has_a_box(client: Any, dog: dict[str, bytes]) -> None:
    answer = client.detect_labels(Image=dog)
    labels = {label["Name"]: label for label in answer["Labels"]}
    assert {parent["Name"] for parent in labels["Dog"]["Parents"]} == {"Animal", "Canine", "Mammal", "Pet"}
    assert labels["Dog"]["Categories"] == [{"Name": "Animals and Pets"}]
    (instance,) = labels["Dog"]["Instances"]
    assert 0.3 < instance["BoundingBox"]["Left"] < 0.6
    assert instance["Confidence"] >= 55
    assert {"Pet", "Animal"} <= set(labels)
    assert answer["LabelModelVersion"] == "3.0"
    assert "ImageProperties" not in answer


@pytest.mark.parametrize(
    ("picture", "shown", "boxes"),
    [
        (
            "azure_vision/images/objects.jpg",
            {"Person", "Skateboard", "Sports Equipment"},
            {"Person": 1, "Skateboard": 1},
        ),
        ("azure_vision/images/celebrities.jpg", {"Person"}, {"Person": 4}),
        ("azure_vision/images/house.jpg", {"Building", "Architecture"}, {}),
        ("azure_vision/images/gray-shirt-logo.jpg", {"Clothing"}, {}),
        ("coco_train_ccby/images/000000111076.jpg", {"Toilet", "Sink", "Bathroom Fixture"}, {"Toilet": 1, "Sink": 1}),
        ("coco_train_ccby/images/000000144941.jpg", {"Potted Plant", "Plant", "Toilet"}, {"Potted Plant": 1}),
        ("coco_train_ccby/images/000000173350.jpg", {"Dog", "Pet", "Toilet"}, {"Dog": 1}),
        ("ocr_multilang/scenetext/scenetext01.jpg", {"Car", "Vehicle", "Transportation"}, {"Car": 1}),
        ("ocr_multilang/scenetext/scenetext02.jpg", {"Sign", "Street Sign"}, {}),
    ],
)
def test_photos_show_what_they_show(
    client: Any, shared_data: Path, picture: str, shown: set[str], boxes: dict[str, int]
) -> None:
    labels = {one["Name"]: one for one in client.detect_labels(Image=photo(shared_data / picture))["Labels"]}
    assert shown <= set(labels)
    for name, least in boxes.items():
        assert len(labels[name]["Instances"]) >= least


def photo(path: Path) -> dict[str, bytes]:
    return {"Bytes": path.read_bytes()}


def test_labels_come_surest_first_and_parents_are_labels_too(client: Any, coffee: dict[str, bytes]) -> None:
    labels = client.detect_labels(Image=coffee, MinConfidence=10)["Labels"]
    confidences = [label["Confidence"] for label in labels]
    assert confidences == sorted(confidences, reverse=True)
    assert min(confidences) >= 10
    found = {label["Name"] for label in labels}
    assert {"Espresso", "Coffee", "Beverage"} <= found
    for label in labels:
        assert {parent["Name"] for parent in label["Parents"]} <= found


def test_a_threshold_leaves_out_and_a_limit_keeps_the_surest(client: Any, coffee: dict[str, bytes]) -> None:
    all_of_them = client.detect_labels(Image=coffee, MinConfidence=5)["Labels"]
    assert client.detect_labels(Image=coffee, MinConfidence=5, MaxLabels=3)["Labels"] == all_of_them[:3]
    sure = [label for label in all_of_them if label["Confidence"] >= 55]
    assert client.detect_labels(Image=coffee)["Labels"] == sure
    assert 0 < len(sure) < len(all_of_them)
    assert client.detect_labels(Image=coffee, MinConfidence=100)["Labels"] == []


@pytest.mark.parametrize(
    ("filters", "wanted", "unwanted"),
    [
        ({"LabelInclusionFilters": ["Espresso"]}, {"Espresso"}, {"Coffee", "Beverage", "Table"}),
        ({"LabelExclusionFilters": ["Espresso"]}, {"Coffee", "Beverage"}, {"Espresso"}),
        ({"LabelCategoryInclusionFilters": ["Food and Beverage"]}, {"Espresso", "Beverage"}, {"Table", "Furniture"}),
        ({"LabelCategoryExclusionFilters": ["Food and Beverage"]}, {"Table"}, {"Espresso", "Beverage"}),
        (
            {"LabelCategoryInclusionFilters": ["Food and Beverage"], "LabelExclusionFilters": ["Espresso"]},
            {"Beverage"},
            {"Espresso", "Table"},
        ),
        (
            {"LabelCategoryInclusionFilters": ["Food and Beverage"], "LabelInclusionFilters": ["Table"]},
            {"Beverage", "Table"},
            {"Furniture"},
        ),
        ({"LabelInclusionFilters": ["espresso"]}, set(), {"Espresso"}),
    ],
)
def test_filters(client: Any, coffee: dict[str, bytes], filters: Any, wanted: set[str], unwanted: set[str]) -> None:
    answer = client.detect_labels(Image=coffee, MinConfidence=5, Settings={"GeneralLabels": filters})
    found = set(names(answer))
    assert wanted <= found
    assert not unwanted & found


@pytest.mark.parametrize("kind", ["Label", "LabelCategory"])
def test_filters_that_contradict_each_other_are_refused(client: Any, coffee: dict[str, bytes], kind: str) -> None:
    filters = {f"{kind}InclusionFilters": ["Dog", "Cat"], f"{kind}ExclusionFilters": ["Dog"]}
    with pytest.raises(client.exceptions.InvalidParameterException) as told:
        client.detect_labels(Image=coffee, Settings={"GeneralLabels": filters})
    assert "Dog: both included and excluded" in detail(told)


def test_a_text_that_nothing_here_knows_is_named(client: Any, coffee: dict[str, bytes]) -> None:
    filters = {"LabelInclusionFilters": ["Espresso", "Forklift, yellow", "Beach"]}
    answer = client.detect_labels(Image=coffee, Settings={"GeneralLabels": filters})
    assert names(answer) == ["Espresso"]
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-overt-omitted"] == "Beach, Forklift, yellow"


def detail(told: Any) -> str:
    return str(told.value.response["ResponseMetadata"]["HTTPHeaders"]["x-overt-detail"])


# --- how a picture looks ---


def test_properties_need_no_labels(client: Any) -> None:
    pixels = np.zeros((120, 200, 3), np.uint8)
    pixels[:, :50] = (255, 0, 0)
    pixels[:, 50:] = (0, 0, 128)
    answer = client.detect_labels(Image=png(pixels), Features=["IMAGE_PROPERTIES"])
    assert "Labels" not in answer
    properties = answer["ImageProperties"]
    colours = [(c["CSSColor"], c["SimplifiedColor"], round(c["PixelPercent"])) for c in properties["DominantColors"]]
    assert colours == [("navy", "blue", 75), ("red", "red", 25)]
    assert properties["DominantColors"][1]["HexCode"] == "#ff0000"
    assert set(properties["Quality"]) == {"Brightness", "Sharpness", "Contrast"}
    assert all(0 <= value <= 100 for value in properties["Quality"].values())


def test_a_bright_picture_is_brighter(client: Any) -> None:
    def brightness(grey: int) -> float:
        image = png(np.full((100, 100, 3), grey))
        properties = client.detect_labels(Image=image, Features=["IMAGE_PROPERTIES"])["ImageProperties"]
        return float(properties["Quality"]["Brightness"])

    assert brightness(0) < brightness(100) < brightness(200)


def test_both_features_colour_the_instances(client: Any, dog: dict[str, bytes]) -> None:
    answer = client.detect_labels(
        Image=dog,
        Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"],
        Settings={"ImageProperties": {"MaxDominantColors": 3}},
    )
    (instance,) = next(label for label in answer["Labels"] if label["Name"] == "Dog")["Instances"]
    assert 1 <= len(instance["DominantColors"]) <= 3
    assert {"brown", "black", "grey"} & {colour["SimplifiedColor"] for colour in instance["DominantColors"]}
    assert len(answer["ImageProperties"]["DominantColors"]) <= 3
    assert set(answer["ImageProperties"]) == {"Quality", "DominantColors", "Foreground", "Background"}


@pytest.mark.parametrize("words", [{"MaxLabels": 5}, {"MinConfidence": 50.0}])
def test_labels_settings_without_labels_are_refused(client: Any, coffee: dict[str, bytes], words: Any) -> None:
    with pytest.raises(client.exceptions.InvalidParameterException) as told:
        client.detect_labels(Image=coffee, Features=["IMAGE_PROPERTIES"], **words)
    assert "only with the feature GENERAL_LABELS" in detail(told)


# --- pictures at the edge ---


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((300, 400, 3)), np.full((80, 80, 3), 255), np.full((80, 9000, 3), 90), np.full((4096, 80, 3), 9)],
)
def test_pictures_of_nothing_are_answered(client: Any, pixels: Any) -> None:
    features = ["GENERAL_LABELS", "IMAGE_PROPERTIES"]
    answer = client.detect_labels(Image=png(pixels), Features=features, MinConfidence=90)
    assert answer["ImageProperties"]["DominantColors"]
    for label in answer["Labels"]:
        assert label["Confidence"] >= 90


def test_a_strip_of_one_pixel_is_refused(client: Any) -> None:
    with pytest.raises(client.exceptions.InvalidParameterException) as told:
        client.detect_labels(Image=png(np.zeros((1, 4096, 3))))
    assert "4096 x 1 pixels; each side needs at least 80" in detail(told)


def test_of_an_animation_the_first_picture_is_seen(client: Any) -> None:
    frames = [Pillow.new("RGB", (100, 100), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=100)
    answer = client.detect_labels(Image={"Bytes": buffer.getvalue()}, Features=["IMAGE_PROPERTIES"])
    assert [colour["CSSColor"] for colour in answer["ImageProperties"]["DominantColors"]] == ["red"]


# --- a model of the operator's own ---


def test_models_in_slots_answer_through_boto3_and_come_out_again(
    overt: Callable[..., Any], start_server: Callable[..., Any], tmp_path: Path, photos: Path
) -> None:
    """A second detector and an open vocabulary, added by command, answer; removed, the old ones do."""
    home = tmp_path / "home"
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[32:64, 64:96, 0] = 255
    red = png(np.full((128, 128, 3), (255, 0, 0)))
    for manifest in (networks.detector(tmp_path / "one"), networks.vocabulary(tmp_path / "two")):
        done = overt("models", "add", f"manifest={manifest}", "--home", home)
        assert done.returncode == 0, done.stderr
    client = start_server(home, OVERT_FREE_LABELS='["blue"]').client()
    answer = client.detect_labels(Image=png(pixels))
    ball = next(label for label in answer["Labels"] if label["Name"] == "Ball")
    assert ball["Instances"][0]["BoundingBox"] == {"Left": 0.5, "Top": 0.25, "Width": 0.25, "Height": 0.25}
    asked = {"GeneralLabels": {"LabelInclusionFilters": ["red", "green", "blue"]}}
    answer = client.detect_labels(Image=red, Settings=asked)
    assert names(answer) == ["red"]
    assert "x-overt-omitted" not in answer["ResponseMetadata"]["HTTPHeaders"]
    assert "blue" in names(client.detect_labels(Image=png(np.full((90, 90, 3), (0, 0, 255)))))
    moderated = client.detect_moderation_labels(Image=red, MinConfidence=0)
    assert "Smoking" in {label["Name"] for label in moderated["ModerationLabels"]}
    for slot in ("objects", "text_encoder"):
        assert overt("models", "remove", f"slot={slot}", "--home", home).returncode == 0
    client = start_server(home).client()
    answer = client.detect_labels(Image=png(pixels), MinConfidence=0)
    assert "Ball" not in [label["Name"] for label in answer["Labels"] if label["Instances"]]
    answer = client.detect_labels(Image={"Bytes": (photos / "astronaut.png").read_bytes()})
    assert next(label for label in answer["Labels"] if label["Name"] == "Person")["Instances"]


def test_an_embedder_of_the_operators_own_has_its_own_collections(
    overt: Callable[..., Any], start_server: Callable[..., Any], tmp_path: Path, photos: Path
) -> None:
    home, face = tmp_path / "home", photo(photos / "obama2.jpg")
    client = start_server(home).client()
    client.create_collection(CollectionId="before")
    client.index_faces(CollectionId="before", Image=face)
    added = overt("models", "add", f"manifest={networks.embedder(tmp_path / 'made')}", "--home", home)
    assert added.returncode == 0, added.stderr
    client = start_server(home).client()
    assert client.create_collection(CollectionId="after")["FaceModelVersion"] == "quarters-1.0"
    client.index_faces(CollectionId="after", Image=face)
    (match,) = client.search_faces_by_image(CollectionId="after", Image=face)["FaceMatches"]
    assert match["Similarity"] > 99
    with pytest.raises(client.exceptions.InvalidParameterException) as told:
        client.search_faces_by_image(CollectionId="before", Image=face)
    assert "faces are of model sface-2021dec-1.0, the installed one is quarters-1.0" in detail(told)
