# SPDX-License-Identifier: Apache-2.0
"""The vault's key file, seals and digests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from overt.stores.base import StoreError
from overt.stores.vault import Vault


def test_a_key_file_is_made_once_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "new" / "master.key"
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: Vault.open(file).digest("call", b"x"), range(8)))
    assert len(digests) == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert (len(file.read_bytes()), [each.name for each in file.parent.iterdir()]) == (32, ["master.key"])


def test_a_file_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    Vault.open(file)
    file.chmod(0o640)
    with pytest.raises(StoreError, match=f"chmod 600 {file}"):
        Vault.open(file)


def test_a_file_of_another_size_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    file.write_bytes(b"short")
    file.chmod(0o600)
    with pytest.raises(StoreError, match="no key file"):
        Vault.open(file)


def test_a_seal_opens_under_its_context_only(vault: Vault) -> None:
    sealed = vault.wrap(b"secret", "AKIA1")
    assert vault.unwrap(sealed, "AKIA1") == b"secret"
    assert b"secret" not in sealed
    assert vault.wrap(b"secret", "AKIA1") != sealed
    for broken, context in ((sealed, "AKIA2"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), "AKIA1"), (b"", "AKIA1")):
        with pytest.raises(StoreError, match="does not open"):
            vault.unwrap(broken, context)


def test_digests_differ_by_purpose_data_and_key(vault: Vault, tmp_path: Path) -> None:
    digests = [
        vault.digest("call", b"x"),
        vault.digest("page", b"x"),
        vault.digest("call", b"y"),
        Vault.open(tmp_path / "other.key").digest("call", b"x"),
    ]
    assert len(set(digests)) == 4
    assert all(len(digest) == 64 for digest in digests)
    assert vault.digest("call", b"x") == digests[0]


def test_the_vault_shows_nothing_of_its_key(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path / "master.key")
    assert (tmp_path / "master.key").read_bytes().hex() not in repr(vault) + str(vault)
