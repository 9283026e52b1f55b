# SPDX-License-Identifier: Apache-2.0
"""One weight file, loaded into ONNX Runtime when first used. Knows arrays, not what they mean.

One thread for each call and many callers: more pictures a second than splitting each call (86-101 against 59-84).
The arena stays on, since without it a call at 640 pixels takes half as long again; it does not grow because no task
runs inputs larger than that (`detect` cuts large pictures into tiles).
"""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

# ONNX Runtime's builds report their use to its maker, and read this only when they are first imported. Nothing here
# leaves the machine. Source: Privacy.md of onnxruntime 1.31.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

from overt.models.pack import Model, PackError

Array = npt.NDArray[np.float32]


class Session:
    """A model ready to run. Thread-safe. Args: model: whose weights; they are checked and loaded when first needed."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._lock = threading.Lock()
        self._loaded: Any = None
        self._input = ""
        self._outputs: tuple[str, ...] = ()

    def run(self, data: Array) -> dict[str, Array]:
        """Feed the model's only input. Returns: its outputs by name. Raises: PackError on the first call."""
        self.load()
        values = self._loaded.run(None, {self._input: data})
        return dict(zip(self._outputs, values, strict=True))

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
            loaded = onnxruntime.InferenceSession(str(self.model.path), options, providers=["CPUExecutionProvider"])
            self._input = loaded.get_inputs()[0].name
            self._outputs = tuple(output.name for output in loaded.get_outputs())
            self._loaded = loaded
