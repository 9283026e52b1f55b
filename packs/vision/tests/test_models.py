# SPDX-License-Identifier: Apache-2.0
"""Every model loads, has the tensors pack.toml declares, and behaves: batches, ranges, determinism."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

OpenSession = Callable[[str], onnxruntime.InferenceSession]
Array = npt.NDArray[Any]


def inputs_of(model: dict[str, Any], count: int = 1) -> dict[str, Array]:
    """Pictures of noise after the model's own mean and std, the same at every call; free sides have 96 pixels. Else vectors of noise."""
    declared = model["input"]
    shape = tuple({"N": count, "h": 96, "w": 96}.get(length, length) for length in declared["shape"])
    if "layout" not in declared:
        return {declared["name"]: np.random.default_rng(7).random(shape).astype(declared["dtype"])}
    pictures = np.random.default_rng(7).integers(0, 256, shape)
    per_channel = (1, 3, 1, 1) if declared["layout"] == "NCHW" else (1, 1, 1, 3)
    mean, std = (np.reshape(declared[key], per_channel) for key in ("mean", "std"))
    return {declared["name"]: ((pictures - mean) / std).astype(declared["dtype"])}


def of_task(pack: dict[str, Any], task: str) -> dict[str, Any]:
    """The model of a task."""
    (model,) = (model for model in pack["models"] if model["task"] == task)
    table: dict[str, Any] = model
    return table


def shape_of(tensor: onnxruntime.NodeArg) -> list[int | None]:
    """The lengths of a tensor's sides, None where any will do."""
    return [length if isinstance(length, int) else None for length in tensor.shape]


def test_input_is_the_declared_one(model: dict[str, Any], open_session: OpenSession) -> None:
    (tensor,) = open_session(model["name"]).get_inputs()
    declared = model["input"]
    assert tensor.name == declared["name"]
    assert tensor.type == {"float32": "tensor(float)", "int32": "tensor(int32)"}[declared["dtype"]]
    for actual, stated in zip(shape_of(tensor), declared["shape"], strict=True):
        assert actual in {None, stated}  # a file may leave free what the pack fixes


def test_outputs_are_the_declared_ones(model: dict[str, Any], open_session: OpenSession) -> None:
    session = open_session(model["name"])
    declared = {tensor["name"]: tensor["shape"] for tensor in model["output"]["tensors"]}
    results = dict(zip((tensor.name for tensor in session.get_outputs()), session.run(None, inputs_of(model)), strict=True))
    assert results.keys() == declared.keys()
    for name, value in results.items():
        for actual, stated in zip(value.shape, declared[name], strict=True):
            assert actual == stated or isinstance(stated, str)


def test_same_input_gives_same_output(model: dict[str, Any], open_session: OpenSession) -> None:
    session, inputs = open_session(model["name"]), inputs_of(model)
    for first, second in zip(session.run(None, inputs), session.run(None, inputs), strict=True):
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("task", ["tags", "moderation", "text_detect", "text_recognise", "text_angle", "face_cover"])
def test_a_batch_equals_singles(task: str, pack: dict[str, Any], open_session: OpenSession) -> None:
    model = of_task(pack, task)
    session = open_session(model["name"])
    ((name, batch),) = inputs_of(model, 3).items()
    together = session.run(None, {name: batch})
    for position in range(3):
        alone = session.run(None, {name: batch[position : position + 1]})
        for many, one in zip(together, alone, strict=True):
            np.testing.assert_allclose(many[position : position + 1], one, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("task", ["moderation", "text_recognise", "text_angle", "face_cover"])
def test_rows_are_probabilities(task: str, pack: dict[str, Any], open_session: OpenSession) -> None:
    model = of_task(pack, task)
    (rows,) = open_session(model["name"]).run(None, inputs_of(model))
    assert rows.min() >= 0
    np.testing.assert_allclose(rows.sum(-1), 1, atol=1e-3)


def test_text_marks_are_probabilities_at_the_size_of_the_picture(pack: dict[str, Any], open_session: OpenSession) -> None:
    model = of_task(pack, "text_detect")
    ((name, picture),) = inputs_of(model).items()
    (marks,) = open_session(model["name"]).run(None, {name: picture})
    assert marks.shape[2:] == picture.shape[2:]
    assert marks.min() >= 0
    assert marks.max() <= 1


def test_recogniser_names_a_character_for_every_symbol_but_the_blank_and_the_space(pack: dict[str, Any], open_session: OpenSession) -> None:
    model = of_task(pack, "text_recognise")
    session = open_session(model["name"])
    characters = session.get_modelmeta().custom_metadata_map[model["output"]["characters"]].splitlines()
    assert model["output"]["tensors"][0]["shape"][-1] == len(characters) + 2


def test_object_scores_are_probabilities_for_every_cell(pack: dict[str, Any], open_session: OpenSession) -> None:
    model = of_task(pack, "objects")
    session = open_session(model["name"])
    results = dict(zip((tensor.name for tensor in session.get_outputs()), session.run(None, inputs_of(model)), strict=True))
    for stride in model["output"]["strides"]:
        cells = (model["input"]["shape"][2] // stride) ** 2
        scores = results[f"cls_{stride}"]
        assert scores.shape == (1, cells, 80)
        assert scores.min() >= 0
        assert scores.max() <= 1
        assert results[f"dis_{stride}"].shape == (1, cells, 4 * model["output"]["bins"])


def test_no_object_is_seen_on_grey(pack: dict[str, Any], open_session: OpenSession) -> None:
    model = of_task(pack, "objects")
    scores = open_session(model["name"]).run(["cls_8", "cls_16", "cls_32"], {"input": np.zeros((1, 3, 416, 416), np.float32)})
    assert max(part.max() for part in scores) < model["output"]["score_threshold"]


def test_no_body_is_seen_on_grey(pack: dict[str, Any], open_session: OpenSession) -> None:
    model = of_task(pack, "keypoints")
    ((points,),) = open_session(model["name"]).run(None, {"input": np.full((1, 192, 192, 3), 128, np.int32)})[0]
    assert len(points) == len(model["output"]["points"])
    assert points.min() >= 0
    assert points.max() <= 1
    assert points[:, 2].max() < model["output"]["score_threshold"]
