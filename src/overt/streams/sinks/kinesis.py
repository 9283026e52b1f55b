# SPDX-License-Identifier: Apache-2.0
"""Puts parcels into a Kinesis data stream as records: `kinesis:arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`."""

from __future__ import annotations

from typing import Any

from overt.outlets.clients import taken_by
from overt.streams.sinks.arns import named
from overt.streams.sinks.base import Surroundings, TargetError
from overt.types import Parcel

_KEY = 256  # letters of a partition key. Source: Kinesis API reference, PutRecord


class KinesisSink:
    """Implements `base.Sink`. Records of one stream share a partition, and their order is kept there."""

    def __init__(self, url: str, surroundings: Surroundings) -> None:
        self._arn, self._region, name = named(url, "kinesis")
        kind, _, self._name = name.partition("/")
        if kind != "stream" or not self._name:
            msg = "kinesis: needs the ARN of a data stream, arn:aws:kinesis:REGION:ACCOUNT:stream/NAME"
            raise TargetError(msg)
        self._clients = surroundings.clients
        self._order: dict[str, Any] = {}

    def send(self, parcel: Parcel) -> None:
        """See `base.Sink.send`."""
        with taken_by(f"the data stream {self._arn}"):
            answer = self._clients.kinesis(self._region).put_record(
                StreamName=self._name,
                StreamARN=self._arn,
                Data=parcel.body,
                PartitionKey=parcel.stream[:_KEY],
                **self._order,
            )
        self._order = {"SequenceNumberForOrdering": answer["SequenceNumber"]}

    def close(self) -> None:
        """See `base.Sink.close`. The clients are everybody's."""
