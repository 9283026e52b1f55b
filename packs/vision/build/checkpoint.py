# SPDX-License-Identifier: Apache-2.0
"""The tensors of a PyTorch checkpoint in the old file format, read without PyTorch and without running what the file says.

Source: the old format of torch.save: four pickles (magic number, protocol, sizes of the writer's integers, the object), a fifth
with the keys of the storages, then for each key the count as a little-endian int64 and the raw numbers.
"""

import io
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
from stop import BuildStoppedError

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The tensors by name.

    Args:
        content: a file that torch.save wrote before version 1.6, of a mapping from names to tensors of float32 or int64.

    Raises:
        BuildStoppedError: the file is another one, or asks for any other class or function than such a mapping needs.
    """
    stream = io.BytesIO(content)
    try:
        magic, _protocol, _sizes = (_Tensors(stream).load() for _ in range(3))
        if magic != MAGIC:
            message = "the checkpoint is not in the old format of torch.save"
            raise BuildStoppedError(message)
        tensors = _Tensors(stream)
        views: dict[str, _View] = tensors.load()
        storages = {key: _storage(stream, tensors.dtypes[key]) for key in _Tensors(stream).load()}
    except pickle.UnpicklingError as error:
        message = f"the checkpoint cannot be read: {error}"
        raise BuildStoppedError(message) from error
    if stream.read(1):
        message = "the checkpoint holds more than its tensors"
        raise BuildStoppedError(message)
    return {name: view.of(storages) for name, view in views.items()}


def _storage(stream: io.BytesIO, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    count = int.from_bytes(stream.read(8), "little")
    return np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)


class _View:
    """A tensor before the storages are read: where its numbers lie in one of them."""

    def __init__(self, key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> None:
        self._key, self._offset, self._shape, self._strides = key, offset, shape, strides

    def of(self, storages: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        numbers = storages[self._key]
        strides = [stride * numbers.itemsize for stride in self._strides]
        return np.ndarray(self._shape, numbers.dtype, numbers.data, self._offset * numbers.itemsize, strides).copy()


class _Mapping(dict[str, Any]):
    """Stands for OrderedDict; takes no attributes."""

    def __setstate__(self, state: object) -> None:
        """PyTorch hangs version numbers on its mapping; they are not needed."""


class _Tensors(pickle.Unpickler):
    """Makes nothing but mappings, views and plain values; every other name stops it."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.dtypes: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as the base class has it
        if (module, name) == ("collections", "OrderedDict"):
            return _Mapping
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _View
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        message = f"it asks for {module}.{name}"
        raise pickle.UnpicklingError(message)

    def persistent_load(self, pid: Any) -> str:  # noqa: ANN401 - as the base class has it
        match pid:
            case ("storage", np.dtype() as dtype, str(key), "cpu", int(), None):
                self.dtypes[key] = dtype
                return key
        message = f"it asks for the storage {pid}"
        raise pickle.UnpicklingError(message)
