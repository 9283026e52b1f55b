# SPDX-License-Identifier: Apache-2.0
"""Other engines answer in our row numbers, best first."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from overt.cli import brute, peers
from overt.cli.people import Statistics, draw
from overt.stores.codes import unit

CROWD = draw(Statistics.assumed(32), 3000, 20)
TRUTH = brute.nearest(CROWD.halves, CROWD.vectors, 10, -1.0)
MAKERS = {**peers.EXACT, **peers.GRAPHS}


def make(name: str) -> list[peers.Peer]:
    try:
        return list(MAKERS[name](unit(CROWD.halves)))
    except ImportError:
        pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("name", peers.EXACT)
def test_exact_ones_find_what_brute_force_finds(name: str) -> None:
    (peer,) = make(name)
    assert peer.find(CROWD.vectors, 10).tolist() == [nearest.rows[:10].tolist() for nearest in TRUTH]
    assert peer.bytes_per_face == 4 * 32


@pytest.mark.parametrize("name", peers.GRAPHS)
def test_graphs_find_more_when_they_look_longer(name: str) -> None:
    few, many = make(name)
    recalls = []
    for peer in (few, many):
        found = peer.find(CROWD.vectors, 10)
        assert found.shape == (20, 10)
        assert found.dtype == np.int64
        recalls.append(np.mean([np.isin(true.rows[:10], rows).mean() for rows, true in zip(found, TRUTH, strict=True)]))
        assert peer.bytes_per_face > 4 * 32
    assert 0.5 < recalls[0] <= recalls[1]
    assert few.name != many.name


@pytest.mark.skipif(importlib.util.find_spec("hnswlib") is not None, reason="hnswlib is installed")
def test_what_is_not_installed_says_so() -> None:
    with pytest.raises(ImportError):
        next(peers.hnswlib(unit(CROWD.halves)))
