# SPDX-License-Identifier: Apache-2.0
"""One weight file, loaded into ONNX Runtime when first used. Knows arrays, not what they mean.

A model that nobody calls takes no memory. One thread for each call and many callers: more pictures a second than
splitting each call (86-101 against 59-84). The arena stays on, since without it a call at 640 pixels takes half as
long again; it stays small because no task runs inputs of more than 960 a side (`detect` and `text` cut large pictures
into tiles).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# ONNX Runtime's builds report their use to its maker, and read this only when they are first imported. Nothing here
# leaves the machine. Source: Privacy.md of onnxruntime 1.31.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

from overt.models.pack import Model, PackError

Array = npt.NDArray[Any]


class Session:
    """A model ready to run. Thread-safe. Args: model: whose weights; they are checked and loaded when first needed."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._lock = threading.Lock()
        self._loaded: Any = None
        self._inputs: dict[str, str] = {}  # name -> element type
        self._outputs: tuple[str, ...] = ()
        self.metadata: Mapping[str, str] = {}
        """What the file says of itself, once it is loaded."""

    def run(self, data: Array) -> dict[str, Array]:
        """Feed the model's only input. Returns: its outputs by name. Raises: PackError when it cannot."""
        self.load()
        return self._run({next(iter(self._inputs)): data})

    def run_tokens(self, ids: Array, mask: Array) -> dict[str, Array]:
        """Feed a text encoder. Args: ids, mask: (1, n) int64; the mask goes to an input of that name, if there is one.

        Returns: its outputs by name. Raises: PackError on the first call.
        """
        self.load()
        narrow = {name: np.int32 if kind == "tensor(int32)" else np.int64 for name, kind in self._inputs.items()}
        return self._run({name: (mask if "mask" in name else ids).astype(kind) for name, kind in narrow.items()})

    def _run(self, data: Mapping[str, Array]) -> dict[str, Array]:
        try:
            values = self._loaded.run(None, data)
        except Exception as error:  # its errors have no common base but this one
            shapes = ", ".join(f"{name} {value.dtype} {value.shape}" for name, value in data.items())
            raise PackError(
                f"{self.model.name}: it cannot run on {shapes}: the manifest is not this model's"
            ) from error
        return dict(zip(self._outputs, values, strict=True))

    @property
    def is_loaded(self) -> bool:
        """Whether it takes memory."""
        return self._loaded is not None

    def load(self) -> None:
        """Check the weights' sha256 and load them, unless done. Raises: PackError when the file is not the pack's."""
        if self._loaded is not None:
            return
        with self._lock:
            if self._loaded is not None:
                return
            problems = self.model.problems()
            if problems:
                raise PackError("; ".join(problems))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            try:
                loaded = onnxruntime.InferenceSession(str(self.model.path), options, providers=["CPUExecutionProvider"])
            except Exception as error:  # its errors have no common base but this one
                raise PackError(f"{self.model.name}: ONNX Runtime cannot load {self.model.path.name}") from error
            self._inputs = {taken.name: taken.type for taken in loaded.get_inputs()}
            self.metadata = loaded.get_modelmeta().custom_metadata_map
            self._outputs = tuple(output.name for output in loaded.get_outputs())
            self._loaded = loaded
