# SPDX-License-Identifier: Apache-2.0
"""Ways to scan rows for those nearest to a probe. They differ in speed and in what they need, not in answers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from overt.stores.base import StoreError
from overt.stores.kernels.base import Kernel

_RUNGS = {  # best first; each in a module that cannot be imported where what it needs is not installed
    "native": ("overt.stores.kernels.native", "NativeKernel"),
    "faiss": ("overt.stores.kernels.faiss", "FaissKernel"),
    "numpy": ("overt.stores.kernels.numpy", "NumpyKernel"),
}


def choose(wanted: str = "auto") -> Kernel:
    """The kernel of a name, or the best one there is.

    Args: wanted: auto, native, faiss or numpy.
    Raises: StoreError when there is no such kernel, or what it needs is not installed.
    """
    if wanted == "auto":
        return next(_there())
    if wanted not in _RUNGS:
        raise StoreError(f"There is no search kernel {wanted!r}. Use auto, {', '.join(_RUNGS)}.")
    kernel = _load(wanted)
    if kernel is None:
        there = ", ".join(name for name in _RUNGS if _load(name))
        raise StoreError(f"The search kernel {wanted!r} is not installed here. Use auto, or one of: {there}.")
    return kernel


def available() -> list[Kernel]:
    """One kernel of each kind that can be used here, best first."""
    return list(_there())


def _there() -> Iterator[Kernel]:
    """Loads each only when it is asked for: a library for one that is not used would cost every command its time."""
    return (kernel for kernel in map(_load, _RUNGS) if kernel)


def _load(name: str) -> Kernel | None:
    module, kind = _RUNGS[name]
    try:
        kernel: Kernel = getattr(import_module(module), kind)()
    except ImportError:
        return None
    return kernel
