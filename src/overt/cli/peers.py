# SPDX-License-Identifier: Apache-2.0
"""Other people's searches, to measure beside ours where they are installed. Knows no clock and judges none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overt.types import Floats

Found = npt.NDArray[np.int64]

_LINKS = 16  # of a vector in a graph's layer (M)
_BUILDING = 100  # how many candidates are looked at when a vector is linked (efConstruction)
_LOOKING = (50, 200)  # and when one is searched for (efSearch), which should be more than the rows asked for
_BATCH = 65_536


@dataclass(frozen=True, slots=True)
class Peer:
    """An index that is built. find: the rows (q, limit) it takes for the nearest to probes (q, dimension), best first.

    bytes_per_face: of the index as it is saved.
    """

    name: str
    find: Callable[[Floats, int], Found]
    bytes_per_face: float


def faiss_flat(vectors: Floats) -> Iterator[Peer]:
    """Exact search of float32 vectors, by faiss. Raises: ImportError."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    for start in range(0, len(vectors), _BATCH):
        index.add(vectors[start : start + _BATCH])
    yield Peer("faiss Flat", lambda probes, limit: index.search(probes, limit)[1], index.code_size)


def faiss_hnsw(vectors: Floats) -> Iterator[Peer]:
    """A graph, by faiss. Raises: ImportError."""
    import faiss

    index = faiss.IndexHNSWFlat(vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _BUILDING
    index.add(vectors)
    size = len(faiss.serialize_index(index)) / len(vectors)
    for looking in _LOOKING:

        def find(probes: Floats, limit: int, looking: int = looking) -> Found:
            found: Found = index.search(probes, limit, params=faiss.SearchParametersHNSW(efSearch=looking))[1]
            return found

        yield Peer(f"faiss HNSW M{_LINKS} ef{looking}", find, size)


def hnswlib(vectors: Floats) -> Iterator[Peer]:
    """A graph, by hnswlib. Raises: ImportError."""
    import hnswlib as library

    index = library.Index("ip", vectors.shape[1])
    index.init_index(len(vectors), M=_LINKS, ef_construction=_BUILDING, random_seed=1)
    index.add_items(vectors)
    size = index.index_file_size() / len(vectors)
    for looking in _LOOKING:

        def find(probes: Floats, limit: int, looking: int = looking) -> Found:
            index.set_ef(looking)
            found: Found = index.knn_query(probes, limit)[0].astype(np.int64)
            return found

        yield Peer(f"hnswlib M{_LINKS} ef{looking}", find, size)


Maker = Callable[[Floats], Iterator[Peer]]
"""Builds an index of unit rows, to search in one way or more. Raises: ImportError when it is not installed."""

EXACT: dict[str, Maker] = {"faiss Flat": faiss_flat}
GRAPHS: dict[str, Maker] = {"faiss HNSW": faiss_hnsw, "hnswlib": hnswlib}
