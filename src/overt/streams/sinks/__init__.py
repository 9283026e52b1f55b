# SPDX-License-Identifier: Apache-2.0
"""Opens the sink that a target's URL asks for, by its scheme: one of ours, or one that another distribution adds.

A distribution adds a sink by an entry point of the group `overt.sinks`, whose name is the scheme.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from overt.streams.sinks.base import OpenSink, Sink, Surroundings, TargetError

GROUP = "overt.sinks"

_OURS = {
    "events": "overt.streams.sinks.event:EventSink",
    "file": "overt.streams.sinks.lines:LineSink",
    "http": "overt.streams.sinks.webhook:HookSink",
    "https": "overt.streams.sinks.webhook:HookSink",
    "kinesis": "overt.streams.sinks.kinesis:KinesisSink",
    "mqtt": "overt.streams.sinks.mqtt:MqttSink",
    "mqtts": "overt.streams.sinks.mqtt:MqttSink",
    "s3": "overt.streams.sinks.bucket:BucketSink",
    "sns": "overt.streams.sinks.topic:TopicSink",
    "webpush": "overt.streams.sinks.webpush:PushSink",
}


@cache
def schemes() -> tuple[str, ...]:
    """Of all URLs that can be targets, in order."""
    return tuple(sorted(_points()))


def open_sink(url: str, surroundings: Surroundings) -> Sink:
    """The sink of a URL; nothing is connected yet. Raises: TargetError when the URL cannot be used."""
    scheme = url.partition(":")[0].lower()
    point = _points().get(scheme)
    if point is None:
        msg = f"a target's URL begins with one of {', '.join(f'{each}:' for each in schemes())}"
        raise TargetError(msg)
    chosen: OpenSink = point.load()
    return chosen(url, surroundings)


@cache
def _points() -> dict[str, EntryPoint]:
    """By scheme. Ours cannot be replaced from outside: what is told to whom is no matter for an accident."""
    added = {point.name: point for point in entry_points(group=GROUP)}
    return added | {scheme: EntryPoint(scheme, place, GROUP) for scheme, place in _OURS.items()}
