# SPDX-License-Identifier: Apache-2.0
"""The documentation is true: what it names is there, what is there is named, and its examples print what they say.

The Python blocks of a page are one program, run as a reader would run it: in a folder with the photos, with the
README's variables. A block marked `output` is what the block right above it prints.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import overt_pack_faces
import overt_pack_vision
import pytest
import tomli_w
import typer

from overt.cli.main import app
from overt.errors import WireError
from overt.models.hub import Hub
from overt.models.pack import LICENCE_USES, Pack
from overt.models.slots import SLOTS
from overt.models.tasks.equipment import KINDS, PERSONS
from overt.models.tasks.objects import MOST, ObjectDetector
from overt.models.tasks.quality import FLOORS
from overt.models.tasks.text import FINEST, LIMIT, SCRIPTS
from overt.models.taxonomy import Taxonomy
from overt.models.taxonomy.unsafe import LEVELS, above
from overt.ops import equipment, labels, moderation, registry, texts
from overt.ops.images import unsupported_attributes
from overt.settings import Settings
from overt.wire.chain import CHAIN
from overt.wire.services import rekognition

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PORT = "http://127.0.0.1:8750"  # as the pages write it; tests serve elsewhere
TESTFILE = re.compile(r"# (test_\w+\.py)\n")
OUTSIDE_SETTINGS = {"OVERT_PHOTOS"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. output: what the page says it prints, None when it says nothing."""

    page: str
    language: str
    text: str
    output: str | None


def read(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> Iterator[Block]:
    found = re.findall(
        r"^```(\w*)\n(.*?)^```$(?=(?:\n\n.{0,20}\n\n|\n\n)```output\n(.*?)^```$)?", read(page), re.MULTILINE | re.DOTALL
    )
    for language, text, output in found:
        yield Block(page, language, text, output or None)


def tidy(text: str) -> list[str]:
    """Lines without the blanks that tables end with."""
    return [line.rstrip() for line in text.strip().splitlines()]


def headings(page: str, level: int = 2) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", read(page), re.MULTILINE)


def rows(page: str, first: str) -> list[list[str]]:
    """The cells of every table row of a page whose first cell matches."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in read(page).splitlines() if line[:1] == "|"
    ]
    return [row for row in cells if re.fullmatch(first, row[0])]


DOCS = sorted(f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md"))
PAGES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", *DOCS]
PACK_PAGES = [
    f"packs/{name}/{page}"
    for name in ("faces", "vision")
    for page in ("README.md", f"src/overt_pack_{name}/MODEL_CARD.md")
]
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
PROGRAMS = sorted({block.page for block in PYTHON if not TESTFILE.match(block.text)})
TESTS = [block for block in PYTHON if TESTFILE.match(block.text)]
SHELL = [block for block in BLOCKS if block.language == "sh" and block.output]
# A manifest is for `overt models add` when it says where the weights are, and a pack's own when they lie beside it.
MANIFESTS = [block for block in BLOCKS if block.language == "toml" and block.text.startswith("[pack]")]
ADDED = [block for block in MANIFESTS if "\nurl = " in block.text]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES)


# --- examples ---


@dataclass(frozen=True)
class Reader:
    """Somebody who follows the pages: a folder with the photos, and the README's variables."""

    url: str
    folder: Path
    variables: dict[str, str]

    def run(self, *command: str) -> list[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return tidy(done.stdout)


@pytest.fixture(scope="module")
def reader(start_server: Callable[..., Any], photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A reader with a fresh server over the default home folder."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / ".photos").symlink_to(photos.resolve())
    server = start_server(folder / ".overt")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OVERT_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    said = {
        name: value.replace("~", str(folder)).replace(PORT, server.url)
        for name, value in re.findall(r"^export (\w+)=(\S+)$", read("README.md"), re.MULTILINE)
    }
    return Reader(server.url, folder, kept | {"HOME": str(folder), "PATH": path, "COLUMNS": "200"} | said)


def test_the_readme_names_the_variables_it_needs() -> None:
    said = re.findall(r"^export (\w+)=", read("README.md"), re.MULTILINE)
    assert said == ["AWS_ENDPOINT_URL_REKOGNITION", "AWS_SHARED_CREDENTIALS_FILE", "AWS_DEFAULT_REGION"]


def test_the_readme_has_an_example_of_ten_lines() -> None:
    (example,) = [block for block in PYTHON if block.page == "README.md"]
    assert sum(bool(line.strip()) for line in example.text.splitlines()) == 10
    assert example.output == "obama 99.4\n"


@pytest.mark.parametrize("page", PROGRAMS)
def test_examples_print_what_the_page_says(page: str, reader: Reader) -> None:
    own = [block for block in PYTHON if block.page == page and not TESTFILE.match(block.text)]
    program = "\n".join(block.text for block in own)
    wanted = [line for block in own if block.output for line in tidy(block.output)]
    assert wanted, f"{page} never says what its examples print"
    for _ in range(2 if page == "README.md" else 1):
        assert reader.run(sys.executable, "-c", program) == wanted


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.page)
def test_shell_examples_print_what_the_page_says(block: Block, reader: Reader) -> None:
    if "curl" in block.text and not shutil.which("curl"):
        pytest.skip("there is no curl here")
    assert reader.run("sh", "-euc", block.text.replace(PORT, reader.url)) == tidy(str(block.output))


@pytest.mark.parametrize("block", TESTS, ids=lambda block: block.page)
def test_examples_of_contract_tests_pass(block: Block, reader: Reader) -> None:
    name = TESTFILE.match(block.text)[1]
    (reader.folder / name).write_text(block.text)
    printed = reader.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name)
    assert re.match(r"[1-9]\d* passed", printed[-1]), printed


def test_every_kind_of_example_is_there() -> None:
    assert {"README.md", "docs/operations.md", "docs/protocol.md", "docs/data.md"} <= set(PROGRAMS)
    assert {block.page for block in TESTS} == {"docs/models.md", "docs/architecture.md"}
    assert {block.page for block in SHELL} == {"README.md", "docs/accuracy.md", "docs/data.md"}
    known = {"", "python", "output", "sh", "toml", "json", "text", "mermaid"}
    assert {block.language for block in BLOCKS} <= known


def test_outputs_belong_to_something_that_runs() -> None:
    said = sum(block.language == "output" for block in BLOCKS)
    assert said == sum(bool(block.output) for block in BLOCKS if block.language in {"python", "sh"})


def test_toml_and_json_blocks_mean_something() -> None:
    tables = [tomllib.loads(block.text) for block in BLOCKS if block.language == "toml"]
    documents = [json.loads(block.text) for block in BLOCKS if block.language == "json"]
    error, deletion = {"__type", "Code", "Message", "Logref"}, {"account", "collection", "face_id"}
    assert {frozenset(document) for document in documents} == {frozenset(error), frozenset(deletion)}
    plain = [table for table in tables if not any(isinstance(value, dict) for value in table.values())]
    assert plain
    for table in plain:
        Settings.model_validate(table)


def test_the_pack_shown_is_one_that_overt_reads(tmp_path: Path) -> None:
    (shown,) = [block for block in MANIFESTS if block not in ADDED]
    (tmp_path / "pack.toml").write_text(shown.text)
    hub = Hub([_detecting()], [Pack.read(tmp_path)])
    assert hub.problems == {}
    assert hub.faces.model == "my-embedder-1"


def _detecting() -> Pack:
    """The faces pack, which finds the faces that an embedder of another pack is given."""
    return Pack.read(overt_pack_faces.folder())


@pytest.mark.parametrize("block", ADDED, ids=lambda block: tomllib.loads(block.text)["pack"]["id"])
def test_the_manifests_shown_are_ones_that_a_model_can_be_added_with(block: Block, tmp_path: Path) -> None:
    """All but the weights: what `overt models add` would fetch and fill in is put in their place."""
    table = tomllib.loads(block.text)
    for entry in table["models"]:
        assert re.fullmatch(r"https://\S+\.onnx|[\w-]+\.onnx", entry.pop("url"))
        for use, further in entry.get("files", {}).items():
            assert set(further) == {"url", "sha256"}
            (tmp_path / further["url"]).write_text(_tokenizer())
            entry["files"][use] = further["url"]
        entry |= {"file": "model.onnx", "bytes": 0, "megabytes": 0.0, "milliseconds": 0.0, "source": []}
        if isinstance(entry["output"].get("classes"), str):
            (tmp_path / entry["output"]["classes"]).write_text("\n".join(_label_files()[entry["output"]["classes"]]))
    (tmp_path / "pack.toml").write_text(tomli_w.dumps(table))
    pack = Pack.read(tmp_path)
    hub = Hub([_detecting()], [pack])
    assert hub.problems == {}
    assert all(model in hub.models for model in pack.models)
    if pack.model("objects"):
        known = {name for name in ObjectDetector(hub.session("objects")).labels if Taxonomy.read().find(name)}
        assert len(known) == 80
    if pack.model("image_encoder"):
        assert hub.vocabulary is not None
    if pack.model("embed"):
        assert hub.faces.model == pack.model("embed").face_model_version


def _label_files() -> dict[str, list[str]]:
    """The files that the page writes, as it writes them, without running it."""
    (program,) = [block.text for block in PYTHON if block.page == "docs/models.md" and "coco91.txt" in block.text]
    told: dict[str, Any] = {}
    exec(program.split("for file, labels")[0], told)
    return {"coco80.txt": told["names"], "coco91.txt": told["numbered"]}


def _tokenizer() -> str:
    from tokenizers import Tokenizer, models

    return str(Tokenizer(models.WordLevel({"<none>": 0}, unk_token="<none>")).to_str())


def test_every_family_of_slots_worth_adding_has_its_manifest() -> None:
    tasks = [model["task"] for block in ADDED for model in tomllib.loads(block.text)["models"]]
    assert sorted(tasks) == ["embed", "image_encoder", "objects", "objects", "objects", "text_encoder"]


def test_the_manifests_keys_are_those_that_are_read() -> None:
    told = {word for row in rows("docs/models.md", ".*`.*") for word in re.findall(r"`(\w+)`", row[0])}
    used = {key for block in ADDED for model in tomllib.loads(block.text)["models"] for key in _keys(model)}
    assert used <= told | {"place", "fill", "resize", "tokenizer", *_OF_ENCODERS}
    for use in LICENCE_USES:
        assert f"`{use}`" in read("docs/models.md")


_OF_ENCODERS = {"logit_scale", "template", "neutral", "tokens", "pad"}
"""Shown in the example of an open vocabulary; `models/tasks/vocabulary.py` tells what they are."""


def _keys(table: dict[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if name in {"input", "output"}:
            yield from value
        elif name != "files":
            yield name


# --- operations, errors, headers ---


def test_offered_operations_have_their_heading_and_no_others_have() -> None:
    every = set(rekognition().operations)
    assert sorted(set(headings("docs/operations.md")) & every) == sorted(registry.offered())
    assert len(headings("docs/operations.md")) == len(set(headings("docs/operations.md")))


def test_every_other_operation_is_named_as_not_offered() -> None:
    section = read("docs/operations.md").split("\n## Not offered yet\n")[1]
    table = " ".join(line for line in section.splitlines() if line.startswith("|"))
    named = re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", table)
    missing = set(rekognition().operations) - set(registry.offered())
    assert sorted(named) == sorted(missing)
    assert f"These {len(missing)} check" in section


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_the_counts_of_operations_are_right(page: str) -> None:
    offered, every = len(registry.offered()), len(rekognition().operations)
    said = re.search(r"(\d+) of (?:Amazon )?Rekognition's (\d+)\s+operations", read(page))
    assert said
    assert said.groups() == (str(offered), str(every))
    assert re.search(rf"\b{every - offered}\b", read(page))


def test_the_readme_names_every_offered_operation() -> None:
    named = {name for row in rows("README.md", r"[A-Z][a-z ]+") for name in re.findall(r"\w+", " ".join(row[1:]))}
    assert set(registry.offered()) <= named


def subclasses(kind: type) -> set[type]:
    return {kind} | {deeper for each in kind.__subclasses__() for deeper in subclasses(each)}


def test_every_error_is_in_the_table_with_its_status() -> None:
    errors = {
        error.__name__: str(error.status) for error in subclasses(WireError) if error.__module__ == "overt.errors"
    }
    errors.pop("WireError")
    assert {row[0]: row[1] for row in rows("docs/protocol.md", r"\w+(Exception|Error)")} == errors


def test_every_header_and_mark_of_ours_is_documented() -> None:
    used = {
        name for path in (REPOSITORY / "src").rglob("*.py") for name in re.findall(r"x-overt-[a-z]+", path.read_text())
    }
    assert used
    assert set(re.findall(r"x-overt-[a-z]+", read("docs/protocol.md"))) == used


def test_what_no_model_can_tell_is_said(engine: Any) -> None:
    wire = {"".join(part.title() for part in name.split("_")) for name in unsupported_attributes(engine)}
    (readme,) = re.findall(r"No installed model knows ([^.]+)\.", " ".join(read("README.md").split()))
    assert set(re.findall(r"[A-Z]\w+", readme.split(", and")[0])) == wire
    (row,) = rows("docs/models.md", r"Eyeglasses, .*")
    assert set(row[0].split(", ")) == wire
    (left_out,) = re.findall(r"\*\*Left out\*\*: ([^.]+)\.", read("docs/operations.md"))
    assert set(left_out.split(", ")) == wire


# --- settings and commands ---


def commands() -> set[str]:
    def walk(command: Any, path: str) -> Iterator[str]:
        members = getattr(command, "commands", None)
        if members is None:
            yield path
        else:
            for name, member in members.items():
                yield from walk(member, f"{path} {name}")

    return set(walk(typer.main.get_command(app), "overt"))


def test_every_setting_and_command_has_its_heading() -> None:
    assert headings("docs/settings.md") == list(Settings.model_fields)
    assert set(headings("docs/commands.md")) == commands()


def test_the_reference_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@EVERY_PAGE
def test_commands_that_are_named_exist(page: str) -> None:
    known = commands() | {command.rsplit(" ", 1)[0] for command in commands()}
    shell = " ".join(
        f"`{line}`" for block in blocks_of(page) if block.language == "sh" for line in block.text.splitlines()
    )
    inline = re.findall(r"`([^`\n]+)`", f"{read(page)} {shell}")
    named = [
        match
        for code in inline
        if (match := re.match(r"(?:\.venv/bin/)?overt ([a-z]+)(?: ([a-z]+(?:-[a-z]+)*))?", code))
    ]
    for match in named:
        words = [word for word in match.groups() if word]
        assert any(f"overt {' '.join(words[:count])}" in known for count in (2, 1)), match[0]
        if f"overt {words[0]}" not in commands():
            assert len(words) == 1 or f"overt {words[0]} {words[1]}" in commands(), match[0]


def test_variables_that_are_named_exist() -> None:
    known = {f"OVERT_{name.upper()}" for name in Settings.model_fields} | OUTSIDE_SETTINGS
    named = {name for page in PAGES for name in re.findall(r"\bOVERT_[A-Z_]*[A-Z]\b", read(page))}
    assert named
    assert named <= known


@EVERY_PAGE
def test_make_targets_that_are_named_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert "run" in targets
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", read(page), re.MULTILINE)) <= targets


# --- numbers that follow from code ---


def test_the_quality_table_is_the_filters() -> None:
    wanted = {
        "SMALL_BOUNDING_BOX": [("side", 1)],
        "EXTREME_POSE": [("yaw", 1), ("pitch", 1)],
        "LOW_BRIGHTNESS": [("brightness", 100)],
        "LOW_SHARPNESS": [("sharpness", 100)],
        "LOW_CONFIDENCE": [("confidence", 100)],
        "LOW_FACE_QUALITY": [("misfit", 100)],
    }
    for reason, fields in wanted.items():
        shown = [[float(cell) for cell in row[1:]] for row in rows("docs/operations.md", rf"{reason}: .*")]
        levels = [FLOORS[level] for level in ("LOW", "AUTO", "MEDIUM", "HIGH")]
        assert shown == [[pytest.approx(getattr(floor, name) * scale) for floor in levels] for name, scale in fields]


def false_matches(similarity: float, faces: int) -> float:
    curve = Pack.read(overt_pack_faces.folder()).calibration
    return faces * curve.false_match_rate(curve.cosine(similarity / 100))


def test_expected_false_matches_are_the_calibrations() -> None:
    shown = rows("README.md", r"80|90|95|99")
    assert [row[0] for row in shown] == ["80", "90", "95", "99"]
    for similarity, pairs, product in shown:
        assert 1 / int(pairs.removeprefix("1 in ").replace(",", "")) == pytest.approx(
            false_matches(float(similarity), 1)
        )
        assert float(product.rsplit("= ", 1)[1]) == pytest.approx(false_matches(float(similarity), 5000))
    galleries = rows("docs/accuracy.md", r"\d[\d,]*")
    assert len(galleries) == 3
    for faces, *counts in galleries:
        for similarity, count in zip((80, 90, 95, 99), counts, strict=True):
            assert float(count) == pytest.approx(false_matches(similarity, int(faces.replace(",", ""))))


def test_the_models_table_is_the_packs() -> None:
    models = {(model.name, model.task, model.licence_weights) for model in Hub.discover().models}
    shown = rows("docs/models.md", "|".join(re.escape(name) for name, _, _ in models))
    assert {(row[0], row[1], row[3]) for row in shown if len(row) == 4} == models


def test_the_slots_table_is_the_code_s() -> None:
    page = read("docs/models.md").split("\n## Slots\n")[1].split("\n## ")[0]
    shown = [row for row in re.findall(r"^\| (\w+) \| (.+) \| (.+) \|$", page, re.MULTILINE) if row[0] != "Slot"]
    assert [row[0] for row in shown] == list(SLOTS)
    for name, does, decoders in shown:
        assert (does, decoders) == (SLOTS[name].does, ", ".join(SLOTS[name].decoders))


def test_the_table_of_moderation_labels_is_what_the_default_models_tell() -> None:
    moderation = Hub.discover().moderation
    shown = {row[1]: (int(row[0]), row[2]) for row in rows("docs/operations.md", "[123]")}
    assert list(shown) == list(LEVELS)
    assert f"{len(LEVELS)} labels" in " ".join(read("docs/operations.md").split())
    below = {parent for name in moderation.support for parent in above(name)}
    for name, (level, told) in shown.items():
        assert level == LEVELS[name][0]
        if name in moderation.support:
            assert told.split(": ", 1)[1] == moderation.support[name], name
        else:
            assert told == ("from the label below" if name in below else "no"), name
            assert (name in moderation.unsupported) == (told == "no")


def test_the_table_of_equipment_is_what_the_default_models_tell() -> None:
    shown = {row[0]: row[1:] for row in rows("docs/operations.md", "|".join(KINDS))}
    assert set(shown) == KINDS
    supported = Hub.discover().equipment.supported
    assert {kind for kind, (told, _) in shown.items() if told != "no"} == supported
    for _, slot in shown.values():
        assert set(re.findall(r"`(\w+)`", slot)) <= set(SLOTS)
    assert ("face covers" in read("README.md")) == ("FACE_COVER" in supported)


def test_the_counts_of_labels_are_right() -> None:
    said = " ".join(read("docs/operations.md").split())
    scenes, taxonomy = Hub.discover().scenes, Taxonomy.read()
    assert f"{len(taxonomy.names)} names in {len(taxonomy.categories)} categories" in said
    assert f"a picture can get {len(scenes.labels)} of them" in said
    vision = Pack.read(overt_pack_vision.folder())
    assert f"the {len(set(vision.model('objects').classes))} classes of COCO" in said
    assert f"{len(vision.model('tags').classes):,} classes" in said


def test_the_scripts_that_are_read_are_named() -> None:
    (shown,) = re.findall(r"\*\*Scripts\*\*: ([^.]+)\.", read("docs/operations.md"))
    assert tuple(shown.split(", ")) == SCRIPTS
    assert all(script in read("README.md") for script in SCRIPTS)


def test_the_limits_and_defaults_of_pictures_are_the_codes() -> None:
    limits = {row[0]: row[1] for row in rows("docs/protocol.md", ".*")}
    assert limits["objects of a picture"].split(",")[0] == str(MOST)
    assert limits["words of a picture"].split(",")[0] == str(LIMIT)
    assert limits["people for protective equipment"].split(",")[0] == str(PERSONS)
    inline, side = f"{equipment.INLINE_BYTES >> 20} MiB", f"{equipment.LONGEST_SIDE:,} pixels"
    assert limits["the same, DetectProtectiveEquipment"] == f"{inline}; {side} a side"
    for page in ("docs/operations.md", "docs/pictures.md"):
        said = " ".join(read(page).split())
        assert inline in said
        assert side in said
        assert f"{equipment.SHORTEST_SIDE} pixels" in said
    assert f"up to {FINEST:,} pixels" in read("docs/pictures.md")
    said = " ".join(read("docs/operations.md").split())
    least, most, colours = labels._LEAST, labels._MOST, labels._COLOURS
    assert f"MinConfidence is {least:.0f}, MaxLabels {most}, MaxDominantColors {colours} unless given" in said
    assert f"WordFilter.MinConfidence is {texts._LEAST:.0f} unless given" in said
    assert f"MinConfidence is {moderation._LEAST:.0f} unless given" in said
    versions = {labels.MODEL_VERSION, texts.MODEL_VERSION}
    assert set(re.findall(r"ModelVersion is always ([\d.]+\d)", said)) == versions


def test_the_steps_of_a_request_are_the_chains() -> None:
    steps = [step.__name__ for step in CHAIN]
    assert ", ".join(steps) in [block.text.strip() for block in blocks_of("docs/architecture.md")]
    assert [row[0] for row in rows("docs/architecture.md", "|".join(steps))] == steps


# --- links ---


def anchors(path: Path) -> set[str]:
    """What GitHub makes of a page's headings."""
    titles = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES + PACK_PAGES)
def test_links_lead_somewhere(page: str) -> None:
    here = REPOSITORY / page
    for target in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (here.parent / name).resolve() if name else here
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def test_the_map_shows_every_page() -> None:
    linked = set(re.findall(r"\]\((\w+\.md)", read("docs/index.md")))
    assert linked | {"index.md"} == {page.removeprefix("docs/") for page in DOCS}
