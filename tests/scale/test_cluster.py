# SPDX-License-Identifier: Apache-2.0
"""Where there is no cluster; what a real one does is in the tests of the router and of replicas."""

from __future__ import annotations

import socket

import pytest
import ray
from ray.exceptions import RayTaskError

from overt.scale.cluster import Cluster, number, told
from overt.stores.base import StoreError, UnavailableError


def test_names_carry_numbers() -> None:
    assert number("shard-12") == 12


def test_an_address_that_nobody_answers_at_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UnavailableError, match="no head of a Ray cluster"):
            Cluster(address, "lineage").connect()
    with pytest.raises(UnavailableError, match="no head of a Ray cluster"):
        Cluster("127.0.0.1:no-port", "lineage").connect()
    assert not ray.is_initialized()


def test_errors_of_processes_keep_their_words_or_say_nothing() -> None:
    known = told(RayTaskError("search", "a trace", UnavailableError("in words")))
    assert type(known) is UnavailableError
    assert str(known) == "in words"
    unknown = told(RayTaskError("search", "a trace", KeyError("a name")))
    assert type(unknown) is StoreError
    assert "a name" not in str(unknown)
