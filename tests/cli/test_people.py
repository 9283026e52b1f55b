# SPDX-License-Identifier: Apache-2.0
"""Synthetic people are spread as embeddings of faces are, and are the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overt.cli.output import CommandError
from overt.cli.people import Statistics, draw


@pytest.mark.parametrize(("dimension", "spread"), [(128, 0.09), (512, 0.082)])
def test_cosines_are_those_of_a_face_embedder(dimension: int, spread: float) -> None:
    crowd = draw(Statistics.assumed(dimension), 30_000, 2000)
    rows = crowd.halves.astype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    strangers = (rows[:15_000] * rows[15_000:]).sum(axis=1)
    assert strangers.mean() == pytest.approx(0.085, abs=0.01)
    assert strangers.std() == pytest.approx(spread, abs=0.005)
    own = (rows[crowd.people * 3] * crowd.vectors).sum(axis=1)
    assert own.mean() == pytest.approx(0.6, abs=0.01)


def test_pictures_of_a_person_lie_together() -> None:
    crowd = draw(Statistics.assumed(64), 1000, 0, per_person=4)
    rows = crowd.halves.astype(np.float32)
    cosines = rows @ rows.T
    same = np.equal.outer(crowd.person(np.arange(1000)), crowd.person(np.arange(1000)))
    assert cosines[same].mean() > 0.5
    assert cosines[~same].mean() < 0.2


@pytest.mark.parametrize(("count", "probes"), [(1, 1), (2, 5), (100, 0), (100, 7), (100, 300), (100_000, 50)])
def test_everybody_looked_for_is_in_the_gallery(count: int, probes: int) -> None:
    crowd = draw(Statistics.assumed(16), count, probes)
    assert crowd.halves.shape == (count, 16)
    assert crowd.vectors.shape == (probes, 16)
    np.testing.assert_allclose(np.linalg.norm(crowd.vectors, axis=1), 1, atol=1e-5)
    assert set(crowd.people.tolist()) <= set(crowd.person(np.arange(count)).tolist())
    assert len(np.unique(crowd.vectors, axis=0)) == probes  # no picture twice


def test_the_same_seed_draws_the_same_people() -> None:
    one, again, other = (draw(Statistics.assumed(16), 500, 5, seed=seed) for seed in (1, 1, 2))
    assert one.halves.tobytes() == again.halves.tobytes()
    assert one.vectors.tobytes() == again.vectors.tobytes()
    assert one.halves.tobytes() != other.halves.tobytes()


def test_statistics_of_a_file_are_imitated(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    between, within = (np.cov(random.standard_normal((8, 20))) for _ in range(2))
    np.savez(tmp_path / "held.npz", mu=np.full(8, 0.5), Sb=between, Sw=within / 100)
    crowd = draw(Statistics.read(tmp_path / "held.npz"), 3000, 0)
    rows = crowd.halves.astype(np.float32).reshape(1000, 3, 8)
    assert (rows[:, 0] * rows[:, 1]).sum(axis=1).mean() > 0.97
    assert rows.mean() > 0.1


def test_people_who_fill_few_directions_can_be_drawn(tmp_path: Path) -> None:
    np.savez(tmp_path / "held.npz", mu=np.zeros(4), Sb=np.diag([1.0, 1, 0, 0]), Sw=np.zeros((4, 4)))
    crowd = draw(Statistics.read(tmp_path / "held.npz"), 30, 0)
    assert (crowd.halves[:, 2:] == 0).all()


def test_a_file_without_statistics_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", mean=np.zeros(4))
    np.savez(tmp_path / "odd.npz", mu=np.zeros(4), Sb=np.eye(4), Sw=np.eye(3))
    np.save(tmp_path / "array.npz", np.zeros(4))
    for name in ("text.npz", "other.npz", "odd.npz", "array.npz.npy", "missing.npz"):
        with pytest.raises(CommandError, match="mu"):
            Statistics.read(tmp_path / name)
