# SPDX-License-Identifier: Apache-2.0
"""Train face_cover.onnx: from the tagger's embedding of a face to none, Worn (below the nose) or Covered.

Usage: python packs/vision/build/train_face_cover.py PHOTOS [--check]

PHOTOS: the folder that tools/fetch_photos.py fills; the photos used are the sources that pack.toml names, by sha256.
Needs the packages of face_cover_requirements.txt and overt with its default packs. Everything else is drawn, from a
fixed seed. Floats may differ in their last digit on another processor, and so the file; --check therefore compares
the numbers, without writing. Prints how well each person was told by what was learnt from the others.
"""

import argparse
import hashlib
import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import face_cover_drawings as drawings
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from overt.models.hub import Hub
from overt.models.pack import digest
from overt.models.tasks.align import rotated_square, warp
from overt.models.tasks.equipment import COVERED, WORN, face_part
from overt.models.tasks.mesh import MeshReader
from overt.models.tasks.tags import Classifier
from overt.types import Image
from PIL import Image as Pillow

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating]
Draw = Callable[[Pixels, Floats, np.random.Generator], Pixels]

FOLDER = Path(__file__).resolve().parent.parent / "src" / "overt_pack_vision"
CLASSES = ("", WORN, COVERED)
CANVAS, SIDE = 512, 220
"""Pixels of the picture that is drawn on, and of the face in it."""
EXAMPLES: tuple[tuple[int, int, Draw], ...] = (  # class, how many of each photo, drawing
    (0, 80, lambda pixels, _mesh, _random: pixels),
    (0, 50, drawings.beard),
    (0, 20, drawings.scarf),
    (0, 20, drawings.hand),
    (0, 20, drawings.thing),
    (1, 60, lambda *face: drawings.mask(*face, below_nose=True)),
    (2, 120, lambda *face: drawings.mask(*face, below_nose=False)),
)
STEPS, RATE, SPEED, SHRINKAGE = 800, 0.02, 0.9, 3000.0
GRID = 1 << 12
"""Weights are rounded to this part of one, which leaves fewer digits to differ between machines."""
AGREE = 0.002
"""How far weights may lie from the committed ones: --check."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One face: pixels (CANVAS, CANVAS, 3), its box (4,) and mesh (468, 2) in pixels. person: the photo's, by name."""

    person: str
    pixels: Pixels
    box: Floats
    mesh: Floats


def portraits(hub: Hub, folder: Path, sources: list[dict[str, str]]) -> list[Portrait]:
    """The faces of the photos that pack.toml names."""
    reader, found = MeshReader(hub.session("mesh")), []
    for source in sources:
        path = folder / Path(source["member"]).name
        if digest(path) != source["member_sha256"]:
            sys.exit(f"{path.name} is not the photo that pack.toml names")
        with Pillow.open(path) as file:
            whole = np.asarray(file.convert("RGB"))
        (face,) = hub.faces.detect(Image(whole, ""), 1)
        size = np.array(whole.shape[1::-1], np.float32)
        box = np.array([face.box.left, face.box.top, face.box.left + face.box.width, face.box.top + face.box.height])
        box = (box.reshape(2, 2) * size).ravel().astype(np.float32)
        mesh = reader.read(whole, box, face.points[:2] * size)
        if mesh is None:
            sys.exit(f"{path.name}: no mesh fits the face")
        middle, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) / SIDE * CANVAS
        matrix = rotated_square(middle, side, 0.0, CANVAS)
        corners, points = (at @ matrix[:, :2].T + matrix[:, 2] for at in (box.reshape(2, 2), mesh.points[:, :2]))
        person = re.split(r"[^a-z]", path.name)[0]
        found.append(Portrait(person, warp(whole, matrix, CANVAS, repeat_border=True), corners.ravel(), points))
    return found


def example(portrait: Portrait, draw: Draw, random: np.random.Generator) -> Pixels:
    """One drawn picture as the tagger gets it: another skin and light, a drawing, then what cameras and files do."""
    pixels = (255 * (portrait.pixels / 255) ** random.uniform(0.6, 2.0) * random.uniform(0.85, 1.1, 3)).clip(0, 255).astype(np.uint8)
    if drawings.chance(random, 0.25):
        pixels = drawings.glasses(pixels, portrait.mesh, random)
    drawn = draw(pixels, portrait.mesh, random).astype(np.float32)
    if drawings.chance(random, 0.3):  # light from one side
        drawn *= np.linspace(random.uniform(0.3, 0.7), 1.15, CANVAS, dtype=np.float32)[:, None]
    drawn *= random.uniform(0.55, 1.2)
    if drawings.chance(random, 0.12):
        drawn = np.repeat(drawn.mean(2, keepdims=True), 3, axis=2)
    turn = cv2.getRotationMatrix2D((CANVAS / 2, CANVAS / 2), float(random.uniform(-14, 14)), 1.0)
    turned = cv2.warpAffine(drawn.clip(0, 255).astype(np.uint8), turn, (CANVAS, CANVAS), borderMode=cv2.BORDER_REPLICATE)
    if drawings.chance(random, 0.5):
        turned = np.ascontiguousarray(turned[:, ::-1])
    share = float(random.choice([0.15, 0.25, 0.4, 0.7, 1.0]))
    small = cv2.resize(turned, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), float(random.uniform(0.2, 0.8)))
    quality = int(random.integers(40, 96))
    stored = cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    box, middle = portrait.box.copy() * share, np.tile((portrait.box[:2] + portrait.box[2:]) / 2, 2) * share
    box = middle + (box - middle) * random.uniform(0.88, 1.15) + np.tile(random.normal(0, 0.04, 2), 2) * SIDE * share
    return face_part(np.asarray(stored, np.uint8), box.astype(np.float32))


def fit(vectors: Floats, classes: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Multinomial regression with shrunken weights, by steps with momentum. Returns: weights (d, classes), biases."""
    middle, spread = vectors.mean(0), vectors.std(0) + 1e-3
    scaled, targets = (vectors - middle) / spread, np.eye(len(CLASSES))[classes]
    weights, biases = np.zeros((vectors.shape[1], len(CLASSES))), np.zeros(len(CLASSES))
    speed, drift = np.zeros_like(weights), np.zeros_like(biases)
    for _ in range(STEPS):
        errors = (_softmax(scaled @ weights + biases) - targets) / len(targets)
        speed = SPEED * speed - RATE * (scaled.T @ errors + SHRINKAGE / len(targets) * weights)
        drift = SPEED * drift - RATE * errors.sum(0)
        weights, biases = weights + speed, biases + drift
    weights /= spread[:, None]
    return weights, biases - middle @ weights


def held_out(vectors: Floats, classes: npt.NDArray[np.int64], persons: npt.NDArray[np.str_]) -> None:
    """Print how each person's drawings are told by what was learnt from everybody else's."""
    for person in dict.fromkeys(persons.tolist()):
        theirs = persons == person
        weights, biases = fit(vectors[~theirs], classes[~theirs])
        scores = _softmax(vectors[theirs] @ weights + biases)
        bare, hidden = (scores[classes[theirs] == number, 1:].sum(1) for number in (0, 2))
        below = scores[classes[theirs] == 1]
        print(
            f"{person}: {100 * (bare > 0.5).mean():.1f} % of {len(bare)} without a mask taken for masked, "  # noqa: PLR2004
            f"{100 * (hidden > 0.5).mean():.1f} % of {len(hidden)} masks found, and below the nose "  # noqa: PLR2004
            f"{100 * (below[:, 1:].sum(1) > 0.5).mean():.1f} % of {len(below)}, of which "  # noqa: PLR2004
            f"{100 * (below[:, 1] > below[:, 2]).mean():.1f} % are told as such"
        )


def graph(weights: Floats, biases: Floats) -> onnx.ModelProto:
    """The ONNX model: emb (N, d) to probabilities (N, classes)."""
    rounded = [(np.round(value * GRID) / GRID).astype(np.float32) for value in (weights, biases)]
    nodes = [helper.make_node("Gemm", ["emb", "weights", "biases"], ["logits"]), helper.make_node("Softmax", ["logits"], ["probabilities"])]
    made = helper.make_graph(
        nodes,
        "face_cover",
        [helper.make_tensor_value_info("emb", TensorProto.FLOAT, ["N", weights.shape[0]])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(CLASSES)])],
        [numpy_helper.from_array(value, name) for value, name in zip(rounded, ("weights", "biases"), strict=True)],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def main() -> None:
    """Draw, embed, fit, tell, write."""
    parser = argparse.ArgumentParser(description="Train face_cover.onnx from drawn masks.")
    parser.add_argument("photos", type=Path, help="the folder that tools/fetch_photos.py fills")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the committed file")
    arguments = parser.parse_args()
    pack = tomllib.loads((FOLDER / "pack.toml").read_text(encoding="utf-8"))
    (entry,) = (model for model in pack["models"] if model["task"] == "face_cover")
    hub, random = Hub.discover(), np.random.default_rng(20)
    if hub.session("tags").model.sha256 != entry["output"]["space_sha256"]:
        sys.exit("the model in the slot tags is not the one whose embedding pack.toml names")
    tagger = Classifier(hub.session("tags"))
    vectors, classes, persons = [], [], []
    for portrait in portraits(hub, arguments.photos, entry["source"]):
        for number, count, draw in EXAMPLES:
            for _ in range(count):
                embedding = tagger.read_parts([example(portrait, draw, random)]).embedding
                if embedding is None:
                    sys.exit("the model in the slot tags gives no embedding")
                vectors.append(embedding[0])
                classes.append(number)
                persons.append(portrait.person)
    seen, told = np.array(vectors, np.float64), np.array(classes)
    held_out(seen, told, np.array(persons))
    model, file = graph(*fit(seen, told)), FOLDER / entry["file"]
    content: bytes = model.SerializeToString(deterministic=True)
    print(f"{hashlib.sha256(content).hexdigest()}  {len(content)}  {file.name}")
    if not arguments.check:
        file.write_bytes(content)
        return
    pairs = zip(model.graph.initializer, onnx.load(file).graph.initializer, strict=True)
    furthest = max(np.abs(numpy_helper.to_array(new) - numpy_helper.to_array(old)).max() for new, old in pairs)
    print(f"weights differ from the committed ones by at most {furthest:.2g}")
    sys.exit(int(furthest > AGREE))


if __name__ == "__main__":
    main()
