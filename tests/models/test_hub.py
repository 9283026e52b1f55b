# SPDX-License-Identifier: Apache-2.0
"""Each task gets its model from the packs there are, or words that say why it cannot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.models.hub import Hub
from overt.models.pack import Pack, PackError

Edit = Callable[[Path, str, str], None]


def test_two_packs_of_one_task(pack: Pack, copy: Path, edit: Edit) -> None:
    edit(copy, 'id = "faces"', 'id = "mine"')
    other = Pack.read(copy)
    with pytest.raises(PackError, match="uninstall all but one"):
        Hub([pack, other])
    assert set(Hub([other]).models) == set(other.models)


def test_two_packs_that_offer_one_task_are_both_named(pack: Pack, copy: Path, edit: Edit) -> None:
    edit(copy, 'id = "faces"', 'id = "mine"')
    with pytest.raises(PackError, match=r"faces, mine all offer detect"):
        Hub([Pack.read(copy), pack])


def test_packs_that_offer_different_tasks_work_together(
    pack: Pack, copy: Path, load: Callable[[str | Path], Any]
) -> None:
    """The detector of one pack beside the embedder of another."""
    manifest = copy / "pack.toml"
    head, *models = manifest.read_text().split("[[models]]\n")
    head = head[: head.index("[calibration]")].replace('id = "faces"', 'id = "eyes"')
    manifest.write_text("[[models]]\n".join([head, *(m for m in models if 'task = "detect"' in m)]))
    rest = copy.parent / "rest"
    rest.mkdir()
    for name in ("sface_2021dec.onnx", "LICENSES"):
        (rest / name).symlink_to(pack.folder / name)
    whole, *all_models = (pack.folder / "pack.toml").read_text().split("[[models]]\n")
    (rest / "pack.toml").write_text("[[models]]\n".join([whole, *(m for m in all_models if 'task = "embed"' in m)]))
    hub = Hub([Pack.read(copy), Pack.read(rest)])
    assert {model.task: model.path.parent for model in hub.models} == {"detect": copy, "embed": rest}
    image = load("obama2.jpg")
    (face,) = hub.faces.detect(image)
    assert hub.faces.embed(image, face).model == "sface-2021dec-1.0"
    assert hub.faces.supported == frozenset()


def test_a_pack_with_an_unknown_output_is_refused(copy: Path, edit: Edit) -> None:
    edit(copy, 'decoder = "yunet"', 'decoder = "scrfd"')
    with pytest.raises(PackError, match="scrfd"):
        Hub([Pack.read(copy)])


def test_no_packs_is_said() -> None:
    hub = Hub([])
    with pytest.raises(PackError, match="pip install"):
        _ = hub.faces


def test_without_packs_there_is_nothing_to_load_and_nothing_fails() -> None:
    hub = Hub([])
    hub.preload()
    assert hub.packs == hub.models == ()


def test_a_missing_task_is_named(copy: Path) -> None:
    """With a detector and no embedder, what is missing is the embedder."""
    head, *models = (copy / "pack.toml").read_text().split("[[models]]\n")
    head = head[: head.index("[calibration]")]
    (copy / "pack.toml").write_text("[[models]]\n".join([head, *(m for m in models if 'task = "embed"' not in m)]))
    with pytest.raises(PackError, match=r"^no installed pack offers embed: pip install overt-pack-faces$"):
        _ = Hub([Pack.read(copy)]).faces


def test_discovery_and_preload() -> None:
    hub = Hub.discover()
    assert [pack.id for pack in hub.packs] == ["faces"]
    hub.preload()
    assert hub.faces is hub.faces


def test_preloading_tells_a_weight_file_that_is_not_the_packs(copy: Path) -> None:
    with pytest.raises(PackError, match=r"sface_2021dec\.onnx is missing"):
        Hub([Pack.read(copy)]).preload()


# As an operator meets it: a further pack, installed beside the default one.


@pytest.fixture
def installed(copy: Path, edit: Edit, overt: Callable[..., Any]) -> Callable[..., Any]:
    """Runs overt where a second distribution offers the pack in `copy`, under the id "mine"."""
    edit(copy, 'id = "faces"', 'id = "mine"')
    site = copy.parent / "site"
    facts = site / "mine-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[overt.models]\nmine = mine:folder\n")
    (site / "mine.py").write_text(f"from pathlib import Path\n\n\ndef folder():\n    return Path({str(copy)!r})\n")
    path = os.pathsep.join([str(site), os.environ["PYTHONPATH"]])
    return lambda *arguments: overt(*arguments, PYTHONPATH=path)


def test_a_pack_is_found_once_it_is_installed(installed: Callable[..., Any], copy: Path) -> None:
    manifest = copy / "pack.toml"
    head, *models = manifest.read_text().split("[[models]]\n")
    (model,) = (m for m in models if 'task = "age"' in m)
    other = model.replace('name = "age_v1"', 'name = "shoes_v1"').replace('task = "age"', 'task = "shoes"')
    manifest.write_text("[[models]]\n".join([head[: head.index("[calibration]")], other]))
    done = installed("models", "list")
    assert done.returncode == 0, done.stderr
    assert "shoes_v1" in done.stdout


@pytest.mark.parametrize("arguments", [("models", "list"), ("doctor", "--home"), ("up", "--port", "0", "--home")])
def test_a_damaged_manifest_is_told_in_words(
    installed: Callable[..., Any], copy: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (copy / "pack.toml").write_text("[pack\nid = ")
    more = (tmp_path / "home",) if "--home" in arguments else ()
    done = installed(*arguments, *more)
    assert done.returncode == 1
    assert f"{copy}/pack.toml" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_two_packs_of_one_task_are_told_in_words(installed: Callable[..., Any]) -> None:
    done = installed("models", "list")
    assert done.returncode == 1
    assert "faces, mine all offer detect" in done.stderr
    assert "Traceback" not in done.stderr
