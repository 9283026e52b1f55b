# SPDX-License-Identifier: Apache-2.0
"""A model that an operator adds is fetched, checked and tried before it counts, and comes out again whole."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
import tomli_w

from overt.models import trial
from overt.models.additions import Additions, Wanted
from overt.models.hub import Hub
from overt.models.pack import PackError
from overt.testing import networks
from overt.types import Image


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return tmp_path / "made"


@pytest.fixture
def additions(tmp_path: Path) -> Additions:
    return Additions(tmp_path / "home" / "models")


@pytest.fixture
def site(made: Path) -> Iterator[str]:
    """The folder of what was made, on a web server of this machine."""
    made.mkdir()
    handler = functools.partial(Quiet, directory=made)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def keep(additions: Additions, manifest: Path) -> Path:
    with additions.fetched(Wanted(manifest=str(manifest))) as pack:
        return additions.keep(pack)


def rewrite(manifest: Path, **changes: Any) -> None:
    """Change keys of a manifest's first model."""
    table = tomllib.loads(manifest.read_text())
    table["models"][0] |= changes
    manifest.write_text(tomli_w.dumps(table))


def test_a_model_goes_in_before_the_installed_one_and_out_again(additions: Additions, made: Path) -> None:
    place = keep(additions, networks.detector(made))
    hub = Hub.discover(additions.folder)
    assert hub.problems == {}
    assert hub.session("objects").model.path.parent == place
    assert hub.session("objects").model.milliseconds > 0
    assert hub.session("objects").model.megabytes > 0
    additions.remove("objects")
    assert list(additions.folder.iterdir()) == []
    assert Hub.discover(additions.folder).session("objects").model.name == "nanodet_g_416"


def test_a_model_comes_over_http_with_its_manifest_beside_it(additions: Additions, made: Path, site: str) -> None:
    manifest = networks.detector(made)
    sha256 = tomllib.loads(manifest.read_text())["models"][0]["sha256"]
    manifest.rename(made / "colour_cells_objects.toml")
    told: list[int] = []
    wanted = Wanted("objects", f"{site}/colour_cells_objects.onnx", sha256)
    with additions.fetched(wanted, lambda done, _whole: told.append(done)) as pack:
        place = additions.keep(pack)
    assert told[-1] == (place / "colour_cells_objects.onnx").stat().st_size
    (source,) = Hub.discover(additions.folder).session("objects").model.sources
    assert source.package == wanted.url


def test_nothing_is_left_when_it_is_not_kept(additions: Additions, made: Path) -> None:
    with additions.fetched(Wanted(manifest=str(networks.detector(made)))):
        pass
    assert list(additions.folder.iterdir()) == []
    assert [path.name for path in additions.folder.parent.iterdir()] == ["models"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, "has sha256"),
        ({"url": "missing.onnx"}, "cannot be read"),
        ({"url": "ftp://127.0.0.1/x.onnx"}, "only http, https and file"),
        ({"task": "shoes"}, "no slot 'shoes'"),
        ({"licence_use": "mine"}, "licence_use"),
        ({"licence_files": []}, "no licence file"),
        ({"output": {"decoder": "detr", "classes": ["a", "b", "c"]}}, "outputs are not those"),
        ({"output": {"decoder": "yolov9", "classes": ["a"]}}, "reads the output"),
        ({"output": {"decoder": "yolox", "strides": [32], "classes": ["a", "b"]}}, "outputs are not those"),
        ({"output": {"decoder": "yolox", "strides": [32]}}, "classes"),
        ({"output": {"decoder": "yolox", "strides": [32], "classes": "labels.txt"}}, r"labels\.txt cannot be read"),
        ({"calibration": {"fitted_on": "x", "confidences": [[0.5, 0.9], [0.4, 1.0]]}}, "confidences"),
        ({"files": {"tokenizer": "here"}}, "files.tokenizer"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_stays(
    additions: Additions, made: Path, changes: dict[str, Any], words: str
) -> None:
    manifest = networks.detector(made)
    rewrite(manifest, **changes)
    with pytest.raises(PackError, match=words):
        keep(additions, manifest)
    assert list(additions.folder.iterdir()) == []


def test_an_input_of_another_size_is_found_by_trying(additions: Additions, made: Path) -> None:
    manifest = networks.detector(made)
    entry = tomllib.loads(manifest.read_text())["models"][0]["input"]
    rewrite(manifest, input={**entry, "shape": [1, 3, 64, 64]})
    with pytest.raises(PackError, match="the manifest is not this model's"):
        keep(additions, manifest)


def test_a_file_that_is_no_model_is_refused(additions: Additions, made: Path) -> None:
    manifest = networks.detector(made)
    model = made / "colour_cells_objects.onnx"
    model.write_bytes(b"no model")
    rewrite(manifest, sha256=networks._sha256(b"no model"))
    with pytest.raises(PackError, match="cannot load"):
        keep(additions, manifest)


@pytest.mark.parametrize(
    "text",
    [
        "", "models = 3", "models = ['x']", "[[models]]", "[pack]\nid = 'x'", "\x00", "[models]\nx = 1",
        "[[models]]\nurl = 'x.toml'\nsha256 = 3",
        "[[models]]\nurl = 3\nsha256 = '0'", "[[models]]\nurl = 'x.toml'\nsha256 = '0'\noutput = 'x'",
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_told(additions: Additions, tmp_path: Path, text: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(PackError, match=r"x\.toml|missing|cannot be read"):
        keep(additions, tmp_path / "x.toml")


@pytest.mark.parametrize(
    ("name", "value"),
    [("files", "x"), ("files", {"tokenizer": 3}), ("output", "x"), ("input", 3), ("licence_files", "x"), ("limits", 3)],
)
def test_values_of_another_kind_are_told(additions: Additions, made: Path, name: str, value: Any) -> None:
    manifest = networks.detector(made)
    rewrite(manifest, **{name: value})
    with pytest.raises(PackError):
        keep(additions, manifest)
    assert list(additions.folder.iterdir()) == []


def test_a_slot_is_filled_once(additions: Additions, made: Path) -> None:
    keep(additions, networks.detector(made))
    with pytest.raises(PackError, match="filled already: `overt models remove slot=objects`"):
        keep(additions, networks.detector(made))


def test_what_the_command_says_must_fit_the_manifest(additions: Additions, made: Path) -> None:
    manifest = str(networks.detector(made))
    with (
        pytest.raises(PackError, match="task is 'objects', not 'tags'"),
        additions.fetched(Wanted("tags", None, None, manifest)),
    ):
        pass
    with pytest.raises(PackError, match="give url="), additions.fetched(Wanted()):
        pass
    pair = str(networks.vocabulary(made))
    with (
        pytest.raises(PackError, match="2 models: their url and sha256"),
        additions.fetched(Wanted(None, "x", None, pair)),
    ):
        pass
    with pytest.raises(PackError, match="no model for the slot tags"), additions.fetched(Wanted("tags", manifest=pair)):
        pass


def test_an_empty_slot_cannot_be_emptied(additions: Additions) -> None:
    with pytest.raises(PackError, match="nothing was added"):
        additions.remove("objects")


def test_a_recogniser_of_text_brings_its_letters(additions: Additions, made: Path, folder: Path) -> None:
    """The default recogniser without the letters in its file, added with a dictionary, reads as before."""
    default = Hub.discover().session("text_recognise")
    default.load()
    letters = default.metadata["character"].encode()
    network = onnx.load(default.model.path)
    del network.metadata_props[:]
    made.mkdir()
    onnx.save(network, made / "bare.onnx")
    (made / "letters.txt").write_bytes(letters)
    (made / "bare.toml").write_text(
        tomli_w.dumps(
            {
                "pack": {"id": "bare", "version": "1", "title": "x", "summary": "x", "limits": ["x"]},
                "models": [
                    {
                        "name": "bare",
                        "task": "text_recognise",
                        "licence_code": "Apache-2.0",
                        "licence_weights": "Apache-2.0",
                        "licence_use": "permissive",
                        "licence_files": [str(folder / "LICENSES" / "Apache-2.0.txt")],
                        "limits": "x",
                        "input": RECOGNISER,
                        "output": {"decoder": "ctc"},
                        "files": {"dictionary": {"url": "letters.txt", "sha256": hashlib.sha256(letters).hexdigest()}},
                    }
                ],
            }
        )
    )
    sha256 = hashlib.sha256((made / "bare.onnx").read_bytes()).hexdigest()
    with additions.fetched(Wanted("text_recognise", str(made / "bare.onnx"), sha256)) as pack:
        additions.keep(pack)
    hub = Hub.discover(additions.folder)
    assert hub.session("text_recognise").model.name == "bare"
    (line,), _ = hub.text.read(Image(trial._sign(), ""))
    assert line.text == "OPEN 24"


RECOGNISER = {
    "shape": ["N", 3, 48, "w"], "layout": "NCHW", "colour": "BGR", "mean": [127.5] * 3, "std": [127.5] * 3,
}  # fmt: skip


def test_a_model_spoiled_later_leaves_its_slot_empty_and_the_rest_working(additions: Additions, made: Path) -> None:
    place = keep(additions, networks.detector(made))
    (place / "colour_cells_objects.onnx").write_bytes(b"spoiled")
    hub = Hub.discover(additions.folder)
    hub.check()
    assert "bytes instead of" in hub.problems["objects"]
    with pytest.raises(PackError, match="bytes instead of"):
        hub.session("objects")
    assert hub.scenes.labels
    (place / "pack.toml").unlink()
    hub = Hub.discover(additions.folder)
    with pytest.raises(PackError, match="the model chosen for objects cannot be used"):
        hub.session("objects")
