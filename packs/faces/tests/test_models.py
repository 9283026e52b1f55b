# SPDX-License-Identifier: Apache-2.0
"""Every model loads, has the tensors pack.toml declares, and behaves: sizes, batches, ranges, determinism."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

OpenSession = Callable[[str], onnxruntime.InferenceSession]
Floats = npt.NDArray[np.float32]


def noise(shape: tuple[int, ...], lowest: float, highest: float) -> Floats:
    """Uniform noise, the same at every call."""
    return np.random.default_rng(7).uniform(lowest, highest, shape).astype(np.float32)


def inputs_of(model: dict[str, Any], picture: tuple[int, int] = (320, 320)) -> dict[str, Floats]:
    """Noise in the range of a picture after the model's own mean and std; one picture, or the given size where it is free."""
    free = {"N": 1, "h": picture[0], "w": picture[1]}
    declared = model["input"]
    shape = tuple(free.get(length, length) for length in declared["shape"])
    mean, std = declared["mean"][0], declared["std"][0]
    return {declared["name"]: noise(shape, -mean / std, (255 - mean) / std)}


def test_tensors_are_the_declared_ones(model: dict[str, Any], open_session: OpenSession) -> None:
    session = open_session(model["name"])
    declared = model["input"]
    assert [(tensor.name, tensor.shape, tensor.type) for tensor in session.get_inputs()] == [
        (declared["name"], declared["shape"], "tensor(float)")
    ]
    outputs = [(tensor["name"], tensor["shape"]) for tensor in model["output"]["tensors"]]
    assert [(tensor.name, tensor.shape) for tensor in session.get_outputs()] == outputs


def test_same_input_gives_same_output(model: dict[str, Any], open_session: OpenSession) -> None:
    session, inputs = open_session(model["name"]), inputs_of(model)
    for first, second in zip(session.run(None, inputs), session.run(None, inputs), strict=True):
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("height", "width"), [(320, 320), (480, 640), (1088, 1920)])
def test_yunet_takes_pictures_of_any_size(height: int, width: int, pack: dict[str, Any], open_session: OpenSession) -> None:
    model = next(model for model in pack["models"] if model["task"] == "detect")
    session = open_session(model["name"])
    names = [tensor.name for tensor in session.get_outputs()]
    outputs = dict(zip(names, session.run(None, inputs_of(model, (height, width))), strict=True))
    for stride in model["output"]["strides"]:
        cells = (height // stride) * (width // stride)
        for kind, numbers in {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}.items():
            assert outputs[f"{kind}_{stride}"].shape == (1, cells, numbers)
        assert outputs[f"cls_{stride}"].min() >= 0
        assert outputs[f"cls_{stride}"].max() <= 1


@pytest.mark.parametrize("name", ["sface_2021dec", "age_v1", "gender_v1", "emotion"])
def test_a_batch_equals_singles(name: str, pack: dict[str, Any], open_session: OpenSession) -> None:
    model = next(model for model in pack["models"] if model["name"] == name)
    ((tensor, single),) = inputs_of(model).items()
    batch = noise((4, *single.shape[1:]), float(single.min()), float(single.max()))
    together = open_session(name).run(None, {tensor: batch})[0]
    for position in range(4):
        alone = open_session(name).run(None, {tensor: batch[position : position + 1]})[0]
        np.testing.assert_allclose(together[position : position + 1], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["age_v1", "gender_v1", "emotion"])
def test_classes_are_probabilities(name: str, pack: dict[str, Any], open_session: OpenSession) -> None:
    model = next(model for model in pack["models"] if model["name"] == name)
    (probabilities,) = open_session(name).run(None, inputs_of(model))[0]
    classes = model["output"]["classes"]
    assert len(probabilities) == (classes if isinstance(classes, int) else len(classes))
    assert probabilities.min() >= 0
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_mesh_refuses_noise(pack: dict[str, Any], open_session: OpenSession) -> None:
    model = next(model for model in pack["models"] if model["task"] == "mesh")
    presence = open_session(model["name"]).run([model["output"]["presence"]], inputs_of(model))[0]
    assert presence.item() < 0
