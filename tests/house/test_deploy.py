# SPDX-License-Identifier: Apache-2.0
"""The files of deploy/ can be read, and what they and docs/scaling.md say fits the code. Nothing here is deployed."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from overt.scale.replicas import _READING
from overt.scale.router import _WAITING
from overt.settings import Settings
from overt.stores.batching import _MOST
from overt.stores.codes import width
from overt.stores.segment import _Layout

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DEPLOY = REPOSITORY / "deploy"
SCALING = (REPOSITORY / "docs" / "scaling.md").read_text()
DIMENSION = 128


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def test_the_compose_file_names_its_parts() -> None:
    (compose,) = documents("compose.yaml")
    assert set(compose["services"]) == {"database", "server", "worker"}
    for service in compose["services"].values():
        assert set(service.get("volumes", [])) <= {
            *(f"{name}:{path}" for name, path in mounted(compose)),
            "/var/lib/overt",
        }
        assert set(service["secrets"]) <= set(compose["secrets"])
    assert (DEPLOY / compose["services"]["server"]["build"]["context"] / "deploy" / "Dockerfile").resolve().is_file()
    assert compose["services"]["server"]["ports"] == ["127.0.0.1:8750:8750"]


def mounted(compose: dict[str, Any]) -> list[tuple[str, str]]:
    mounts = [each.split(":") for service in compose["services"].values() for each in service.get("volumes", [])]
    return [(name, path) for name, path in (each for each in mounts if len(each) == 2) if name in compose["volumes"]]


def test_the_manifest_s_references_lead_somewhere() -> None:
    cluster, service, policy = documents("kubernetes/overt.yaml")
    head, worker = cluster["spec"]["headGroupSpec"], cluster["spec"]["workerGroupSpecs"][0]
    for group in (head, worker):
        spec = group["template"]["spec"]
        volumes = {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"] + spec["initContainers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    assert service["spec"]["selector"].items() <= head["template"]["metadata"]["labels"].items()
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= worker["template"]["metadata"]["labels"].items()
    locked = re.search(r"^ray==([\d.]+)", (REPOSITORY / "locks" / "scale.txt").read_text(), re.MULTILINE)
    assert locked is not None
    assert cluster["spec"]["rayVersion"] == locked[1]


def test_the_image_has_the_version_of_this_tree() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert set(re.findall(r"image: overt:(\S+)", (DEPLOY / "kubernetes" / "overt.yaml").read_text())) == {version}
    for words in re.findall(r"^COPY (\w.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE):
        for name in words.split()[:-1]:
            assert (REPOSITORY / name).exists(), name


def test_variables_and_commands_exist() -> None:
    known = {f"OVERT_{name.upper()}" for name in Settings.model_fields}
    for path in (path for path in DEPLOY.rglob("*") if path.is_file()):
        text = path.read_text()
        assert set(re.findall(r"\bOVERT_[A-Z_]*[A-Z]\b", text)) <= known
        assert "usage" in text.lower()  # Ray's reports are switched off everywhere


def test_the_formulas_are_the_files() -> None:
    assert width(DIMENSION) == DIMENSION
    many = 2**20
    layout = _Layout.of(0, many, DIMENSION)
    assert (layout.halves - layout.codes) / many == DIMENSION + 12
    assert (layout.end - layout.codes) / many == 3 * DIMENSION + 16


def test_the_table_is_the_formulas() -> None:
    found = re.findall(
        r"^\| ([\d,]+) \| ([\d.,]+) GB \| ([\d.,]+) GB \| ([\d.,]+) GB \| (\d+) \| ([\d.]+) \|$", SCALING, re.MULTILINE
    )
    assert [int(row[0].replace(",", "")) for row in found] == [10**6, 10**7, 10**8, 10**9]
    for row in found:
        faces, memory, disk, _, nodes, searches = (float(cell.replace(",", "")) for cell in row)
        assert math.isclose(memory, faces * (DIMENSION + 12) / 1e9, rel_tol=0.01)
        assert math.isclose(disk, faces * (3 * DIMENSION + 16) / 1e9, rel_tol=0.01)
        assert nodes == math.ceil(faces * (DIMENSION + 12) / 48e9)
        assert math.isclose(searches, nodes * 30e9 / (faces * (DIMENSION + 4)), rel_tol=0.01)


def test_the_numbers_in_words_are_the_code_s() -> None:
    said = " ".join(SCALING.split())
    assert f"At most {_WAITING} searches of a server wait" in said
    assert f"up to {_MOST} of them" in said
    assert f"({', '.join(_READING)})" in said
