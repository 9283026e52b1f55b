# SPDX-License-Identifier: Apache-2.0
"""Files and pages come whole and as they should be, or not at all."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overt.models import downloads
from overt.models.pack import PackError

CONTENT = bytes(range(256)) * 9000


class Cut(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; a name that begins with `cut` ends in the middle."""

    def log_message(self, *_: Any) -> None:
        pass

    def copyfile(self, source: Any, outputfile: Any) -> None:
        outputfile.write(source.read(1000 if "cut" in self.path else -1))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    for name in ("whole", "cut"):
        (tmp_path / name).write_bytes(CONTENT)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Cut, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_page_and_a_file_come_whole(site: str, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    for number, address in enumerate((f"{site}/whole", (tmp_path / "whole").as_uri(), str(tmp_path / "whole"))):
        copy = tmp_path / f"copy{number}"
        size = downloads.download(address, copy, sha256, lambda done, whole: told.append((done, whole)))
        assert copy.read_bytes() == CONTENT
        assert size == len(CONTENT)
        assert told[-1] == (size, size)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("{site}/cut", "cannot be read|has sha256"),
        ("{site}/nothing", "cannot be read"),
        ("http://127.0.0.1:9/x", "cannot be read"),
        ("http://", "cannot be read"),
        ("ftp://127.0.0.1/x", "only http, https and file"),
        ("/no/such/file", "cannot be read"),
        ("{folder}", "cannot be read"),
        ("{folder}/whole", "has sha256"),
    ],
)
def test_what_does_not_come_whole_is_told(site: str, tmp_path: Path, address: str, words: str) -> None:
    with pytest.raises(PackError, match=words):
        downloads.download(address.format(site=site, folder=tmp_path), tmp_path / "copy", "0" * 64, lambda *_: None)


def test_a_small_file_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"12345")
    assert downloads.read(str(tmp_path / "page"), 5) == b"12345"
    with pytest.raises(PackError, match="more than 4 bytes"):
        downloads.read(str(tmp_path / "page"), 4)
