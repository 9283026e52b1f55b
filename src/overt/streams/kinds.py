# SPDX-License-Identifier: Apache-2.0
"""Which analysis a stream gets, by what is wanted of it."""

from __future__ import annotations

from overt.models.hub import Hub
from overt.stores.base import Stores
from overt.streams.analysis import Analysis
from overt.streams.home import HomeAnalysis
from overt.streams.searching import SearchAnalysis
from overt.types import Stream


def begin(stream: Stream, models: Hub, stores: Stores) -> Analysis:
    """Begin a session. Raises: PackError when a model is missing; ValueError; StoreError."""
    if stream.wanted.search is not None:
        models.faces.load()  # a second that the first face would not wait for
        return SearchAnalysis(stream, models, stores)
    with stores.read() as unit:
        tags = unit.tags.of(stream.arn())
    return HomeAnalysis(stream, models, tags)
