# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from PIL import Image


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The address of a server of AWS's services."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def photo(photos: Path) -> Callable[[str], dict[str, Any]]:
    """A portrait as the wire's Image."""
    return lambda name: {"Bytes": (photos / name).read_bytes()}


@pytest.fixture
def enrol(client: Any, collection: str, photo: Callable[[str], dict[str, Any]]) -> Callable[..., str]:
    """Enrols the largest face of a portrait in the test's collection; gives its FaceId."""

    def act(name: str, external: str | None = None) -> str:
        named = {"ExternalImageId": external} if external else {}
        answer = client.index_faces(CollectionId=collection, Image=photo(name), MaxFaces=1, **named)
        (record,) = answer["FaceRecords"]
        return record["Face"]["FaceId"]

    return act


@pytest.fixture(scope="session")
def side_by_side(photos: Path) -> Callable[..., dict[str, Any]]:
    """One picture of several portraits, each half as wide as the one before."""

    def act(*names: str) -> dict[str, Any]:
        pictures = []
        for number, name in enumerate(names):
            with Image.open(photos / name) as opened:
                width = 480 // 2**number
                pictures.append(opened.convert("RGB").resize((width, round(width * opened.height / opened.width))))
        size = (sum(item.width for item in pictures), max(item.height for item in pictures))
        sheet, at = Image.new("RGB", size, "white"), 0
        for picture in pictures:
            sheet.paste(picture, (at, 0))
            at += picture.width
        encoded = io.BytesIO()
        sheet.save(encoded, "JPEG", quality=95)
        return {"Bytes": encoded.getvalue()}

    return act
