# SPDX-License-Identifier: Apache-2.0
"""The build reads tensors out of a PyTorch file and never does what the file asks for."""

import collections
import io
import os
import pickle
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import checkpoint
import numpy as np
import pytest
from stop import BuildStoppedError


@dataclass(frozen=True)
class Storage:
    """Stands for a storage of PyTorch: what a checkpoint names it by."""

    kind: type
    key: str
    count: int


class Writer(pickle.Pickler):
    """Writes storages as PyTorch does: by name."""

    def persistent_id(self, obj: object) -> Any:  # noqa: ANN401 - as the base class has it
        """A storage's name; None for everything else."""
        return ("storage", obj.kind, obj.key, "cpu", obj.count, None) if isinstance(obj, Storage) else None


@dataclass(frozen=True)
class Call:
    """Pickles as the call of a function."""

    function: Callable[..., Any]
    arguments: tuple[object, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle is to call."""
        return self.function, self.arguments


def tensor(torch: Any, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Call:  # noqa: ANN401 - a stand-in
    """A tensor as PyTorch pickles it."""
    return Call(torch.rebuild, (storage, offset, shape, strides, False, collections.OrderedDict()))


@pytest.fixture(name="torch")
def torch_names(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that holds nothing but the names a checkpoint uses."""
    torch, inner = ModuleType("torch"), ModuleType("torch._utils")
    for module, name in ((torch, "FloatStorage"), (torch, "HalfStorage"), (inner, "_rebuild_tensor_v2")):
        made = type(name, (), {"__module__": module.__name__, "__qualname__": name})
        setattr(module, name, made)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)
    torch.rebuild = inner._rebuild_tensor_v2  # type: ignore[attr-defined]  # noqa: SLF001 - PyTorch calls it so
    return torch


def saved(content: object, keys: list[str], storages: bytes) -> bytes:
    """A file as torch.save wrote it."""
    stream = io.BytesIO()
    for part in (checkpoint.MAGIC, 1001, {"little_endian": True}, content, keys):
        Writer(stream, protocol=2).dump(part)
    return stream.getvalue() + storages


def numbers(*values: float) -> bytes:
    """A storage of float32."""
    return struct.pack("<q", len(values)) + np.array(values, "<f4").tobytes()


def test_views_of_one_storage_are_read(torch: Any) -> None:  # noqa: ANN401 - made above
    storage = Storage(torch.FloatStorage, "7", 6)
    whole = tensor(torch, storage, 0, (2, 3), (3, 1))
    turned = tensor(torch, storage, 1, (2, 2), (1, 3))
    content = saved(collections.OrderedDict(whole=whole, turned=turned), ["7"], numbers(0, 1, 2, 3, 4, 5))
    tensors = checkpoint.read(content)
    np.testing.assert_array_equal(tensors["whole"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(tensors["turned"], [[1, 4], [2, 5]])
    assert tensors["whole"].dtype == np.float32


def test_a_call_of_anything_else_stops_the_build(tmp_path: Any) -> None:  # noqa: ANN401 - pytest's path
    made = tmp_path / "made"
    content = saved({"weight": Call(os.mkdir, (str(made),))}, [], b"")
    with pytest.raises(BuildStoppedError, match="mkdir"):
        checkpoint.read(content)
    assert not made.exists()


def test_another_storage_stops_the_build(torch: Any) -> None:  # noqa: ANN401 - made above
    weight = tensor(torch, Storage(torch.HalfStorage, "7", 1), 0, (1,), (1,))
    with pytest.raises(BuildStoppedError, match="HalfStorage"):
        checkpoint.read(saved({"weight": weight}, ["7"], numbers(1)))


def test_more_than_the_tensors_stops_the_build() -> None:
    with pytest.raises(BuildStoppedError, match="more than its tensors"):
        checkpoint.read(saved({}, [], b"more"))


def test_another_file_stops_the_build() -> None:
    with pytest.raises(BuildStoppedError, match="old format"):
        checkpoint.read(pickle.dumps(1) * 3)
