# SPDX-License-Identifier: Apache-2.0
"""Every task a model can fill, and the outputs that overt's code reads for it. Knows no model.

A slot's decoder names a family of outputs, so that models of other makers fit without new code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """What a task is, and the decoders it may name."""

    does: str
    decoders: tuple[str, ...]


SLOTS = {
    "detect": Slot("finds faces and five points of each", ("yunet",)),
    "embed": Slot("turns a face into a vector", ("embedding",)),
    "mesh": Slot("468 points of a face", ("face_mesh",)),
    "iris": Slot("outline and iris of an eye", ("iris",)),
    "age": Slot("apparent age", ("age",)),
    "gender": Slot("apparent gender", ("gender",)),
    "emotion": Slot("apparent expression", ("emotion",)),
    "objects": Slot("finds things and people, with boxes", ("gfl", "yolox", "detr")),
    "tags": Slot("names what a picture shows, and describes it as a vector", ("classes",)),
    "keypoints": Slot("17 points of a body", ("movenet",)),
    "moderation": Slot("finds unsafe content", ("classes",)),
    "text_detect": Slot("finds lines of text", ("dbnet",)),
    "text_recognise": Slot("reads a line of text", ("ctc",)),
    "text_angle": Slot("tells whether a line stands on its head", ("angle",)),
    "image_encoder": Slot("describes a picture in a space shared with words", ("embedding",)),
    "text_encoder": Slot("describes words in that space", ("embedding",)),
    "face_cover": Slot("tells from a face's vector whether a mask hides mouth and nose", ("linear",)),
}
