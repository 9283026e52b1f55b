# SPDX-License-Identifier: Apache-2.0
"""Publishes parcels to an SNS topic: `sns:arn:aws:sns:REGION:ACCOUNT:NAME`."""

from __future__ import annotations

from typing import Any

from overt.outlets.clients import taken_by
from overt.streams.sinks.arns import named
from overt.streams.sinks.base import Surroundings
from overt.types import Parcel

_SUBJECT = 100  # ASCII letters, none of them a control character. Source: SNS API reference, Publish
_GROUP = 128


class TopicSink:
    """Implements `base.Sink`. A topic that keeps the order, `.fifo`, keeps it for each stream and drops repeats."""

    def __init__(self, url: str, surroundings: Surroundings) -> None:
        self._arn, self._region, _ = named(url, "sns")
        self._clients = surroundings.clients

    def send(self, parcel: Parcel) -> None:
        """See `base.Sink.send`."""
        options: dict[str, Any] = {}
        subject = "".join(letter if " " <= letter <= "~" else "?" for letter in parcel.subject).strip()
        if subject:
            options["Subject"] = subject[:_SUBJECT]
        if self._arn.endswith(".fifo"):
            group = "".join(letter if "!" <= letter <= "~" else "-" for letter in parcel.stream)
            options |= {"MessageGroupId": group[:_GROUP], "MessageDeduplicationId": parcel.id}
        with taken_by(f"the topic {self._arn}"):
            client = self._clients.sns(self._region)
            client.publish(TopicArn=self._arn, Message=parcel.body.decode(), **options)

    def close(self) -> None:
        """See `base.Sink.close`. The clients are everybody's."""
