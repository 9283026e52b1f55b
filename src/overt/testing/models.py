# SPDX-License-Identifier: Apache-2.0
"""What every model pack must keep to, as pytest classes. Subclass them in a pack's tests and give them fixtures.

`ModelContract` is for any pack; `FacesContract` is for one that finds and embeds faces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overt.models import trial
from overt.models.hub import Hub
from overt.models.pack import LICENCE_USES, Pack
from overt.models.slots import SLOTS
from overt.types import Image

_STEP = 1e-5
"""How far two runs that should be equal may differ."""


class ModelContract:
    """Checks of one pack; a subclass overrides `folder`, and `beside` where its models need others to work."""

    @pytest.fixture
    def folder(self) -> Path:
        """The pack's folder."""
        raise NotImplementedError

    @pytest.fixture
    def beside(self) -> tuple[Pack, ...]:
        """Further packs, for tasks that this one's models rest on."""
        return ()

    @pytest.fixture
    def pack(self, folder: Path) -> Pack:
        """The pack, read."""
        return Pack.read(folder)

    @pytest.fixture
    def hub(self, pack: Pack, beside: tuple[Pack, ...]) -> Hub:
        """A hub in which this pack goes before those beside it."""
        return Hub(beside, [pack])

    def test_files_are_those_the_manifest_states(self, pack: Pack) -> None:
        """Checksums, sizes and licence texts."""
        assert pack.verify() == []

    def test_every_model_says_where_it_comes_from(self, pack: Pack) -> None:
        """Source, licences, limits, costs."""
        assert pack.limits
        for model in pack.models:
            assert model.sources
            assert model.limits
            assert model.licence_use in LICENCE_USES
            assert model.megabytes >= 0
            assert model.milliseconds >= 0

    def test_every_model_fits_a_slot(self, pack: Pack, hub: Hub) -> None:
        """Its task is known, and so is its decoder."""
        assert hub.problems == {}
        for model in pack.models:
            assert model.decoder in SLOTS[model.task].decoders
            assert model in hub.models

    def test_answers_keep_their_units(self, pack: Pack, hub: Hub) -> None:
        """Tried on drawn pictures: in range, the same for the same picture, not the same for every picture."""
        assert trial.problems(hub, [model.task for model in pack.models]) == []

    def test_confidences_rise_with_raw_scores(self, pack: Pack) -> None:
        """A surer model is never told to be less sure."""
        raws = np.linspace(0, 1, 101, dtype=np.float32)
        for model in pack.models:
            confidences = model.confidences.of(raws)
            assert (np.diff(confidences) >= 0).all()
            assert model.confidences.fitted_on


class FacesContract(ModelContract):
    """Checks of a pack that finds and embeds faces; a subclass overrides `portrait` too."""

    @pytest.fixture
    def portrait(self) -> Image:
        """A picture with a face."""
        raise NotImplementedError

    def test_calibration_can_be_read_both_ways(self, pack: Pack) -> None:
        """Similarity rises with the cosine and its inverse leads back; the false match rate falls."""
        curve = pack.calibration
        assert curve is not None
        cosines = np.linspace(-1, 1, 101)
        similarities = [curve.similarity(c) for c in cosines]
        rates = [curve.false_match_rate(c) for c in cosines]
        assert similarities == sorted(similarities)
        assert rates == sorted(rates, reverse=True)
        assert 0 <= similarities[0] <= similarities[-1] <= 1
        assert [curve.cosine(s) for s in similarities] == pytest.approx(cosines, abs=1e-6)

    def test_a_plain_picture_has_no_face(self, hub: Hub) -> None:
        """Neither do noise and the smallest picture there is."""
        noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
        for pixels in (np.zeros((480, 640, 3), np.uint8), np.full((80, 80, 3), 200, np.uint8), noise):
            assert hub.faces.detect(Image(pixels, "")) == ()

    def test_units(self, hub: Hub, portrait: Image) -> None:
        """Boxes and points are ratios, confidences 0..1, vectors of length 1."""
        (face, *_) = hub.faces.detect(portrait)
        box = face.box
        assert -0.5 < box.left < box.left + box.width < 1.5
        assert -0.5 < box.top < box.top + box.height < 1.5
        assert 0 < face.confidence <= 1
        assert face.points.shape == (5, 2)
        assert face.points.dtype == np.float32
        embedding = hub.faces.embed(portrait, face)
        assert embedding.vector.dtype == np.float32
        assert float(np.linalg.norm(embedding.vector)) == pytest.approx(1, abs=_STEP)
        assert embedding.model == hub.faces.model

    def test_what_is_described_is_in_range(self, hub: Hub, portrait: Image) -> None:
        """Every attribute that is supported is there for a plain portrait, in its range."""
        face = hub.faces.describe(portrait, hub.faces.detect(portrait, 1)[0], frozenset({"ALL"}))
        assert face.pose is not None
        assert max(abs(face.pose.roll), abs(face.pose.yaw), abs(face.pose.pitch)) <= 180
        assert face.quality is not None
        assert 0 <= face.quality.brightness <= 1
        assert 0 <= face.quality.sharpness <= 1
        if not hub.faces.supported:
            return
        read = face.attributes
        assert read is not None
        claims = [c for c in (read.smile, read.eyes_open, read.mouth_open) if c is not None]
        assert all(0.5 <= claim.confidence <= 1 for claim in claims)
        if read.emotions is not None:
            confidences = [emotion.confidence for emotion in read.emotions]
            assert confidences == sorted(confidences, reverse=True)
            assert sum(confidences) == pytest.approx(1, abs=1e-3)
        if read.age_range is not None:
            assert 0 <= read.age_range[0] < read.age_range[1] <= 100

    def test_same_picture_same_answer(self, pack: Pack, hub: Hub, portrait: Image) -> None:
        """Twice in one hub and again in a fresh one."""
        vectors = []
        for faces in (hub.faces, hub.faces, Hub([pack]).faces):
            (face, *_) = faces.detect(portrait)
            vectors.append(faces.embed(portrait, face).vector)
        assert np.array_equal(vectors[0], vectors[1])
        assert np.allclose(vectors[0], vectors[2], atol=_STEP)

    def test_a_batch_is_its_singles(self, hub: Hub, portrait: Image) -> None:
        """Embedding several faces at once changes none of them."""
        (face, *_) = hub.faces.detect(portrait)
        other = Image(np.ascontiguousarray(portrait.pixels[:, ::-1]), "")
        (mirrored, *_) = hub.faces.detect(other)
        pairs = ((portrait, face), (other, mirrored))
        batch = hub.faces.embed_all(pairs)
        for one, (image, found) in zip(batch, pairs, strict=True):
            assert np.allclose(one.vector, hub.faces.embed(image, found).vector, atol=_STEP)
