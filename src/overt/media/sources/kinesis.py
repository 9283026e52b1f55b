# SPDX-License-Identifier: Apache-2.0
"""Kinesis Video Streams: what a producer sends to AWS, or to a service that speaks its API, read by GetMedia.

The server fetches and reads the fragments' tags on the way; the worker decodes. Knows boto3 and no camera.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

from overt.media.confine import Reach
from overt.media.ebml import FragmentReader
from overt.media.plan import Plan
from overt.media.sources.base import Feed, Fragment, Services, SourceError

_ARN = re.compile(r"arn:[a-z\d-]+:kinesisvideo:([a-z\d-]+):\d{12}:stream/[\w.-]+/\d+")
_OPTIONS = {
    "format_whitelist": "matroska,webm",
    "protocol_whitelist": "",
    "fflags": "nobuffer",
    "analyzeduration": "1000000",
    "fpsprobesize": "2",
}
_PIECE = 4096
"""Bytes read at once: reading waits until all of them are there, and a frame should not wait for the next."""


class KinesisSource:
    """A stream that others produce, from now on.

    Credentials are those that boto3 finds by itself.

    Args: url: the stream's ARN, also behind `kinesisvideo:`. start: GetMedia's StartSelector of the first connection.
    Raises: SourceError.
    """

    def __init__(self, url: str, services: Services, start: dict[str, Any] | None = None) -> None:
        self.label = url
        self.secrets: tuple[str, ...] = ()
        self._arn = url.removeprefix("kinesisvideo:")
        self._services = services
        self._start = start
        matched = _ARN.fullmatch(self._arn)
        if matched is None:
            msg = f"{url} is no ARN of a Kinesis video stream"
            raise SourceError(msg)
        self._region = matched[1]

    def connect(self) -> Feed:
        """As `Source` says."""
        import boto3  # noqa: PLC0415 - a second that only users of Kinesis pay
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        silence = self._services.silence
        config = Config(connect_timeout=silence, read_timeout=silence, retries={"total_max_attempts": 1})
        session = boto3.session.Session(region_name=self._region)
        start, self._start = self._start or {"StartSelectorType": "NOW"}, None
        try:
            desk: Any = session.client("kinesisvideo", endpoint_url=self._services.kinesis_endpoint, config=config)
            with contextlib.closing(desk):
                place = desk.get_data_endpoint(StreamARN=self._arn, APIName="GET_MEDIA")["DataEndpoint"]
            client: Any = session.client("kinesis-video-media", endpoint_url=place, config=config)
            try:
                answer = client.get_media(StreamARN=self._arn, StartSelector=start)
            except BaseException:
                client.close()
                raise
        except (BotoCoreError, ClientError, ValueError) as error:
            msg = f"Kinesis does not give the stream: {error}"
            raise SourceError(msg) from error
        return _KinesisFeed(client, answer["Payload"], silence)


class _KinesisFeed(Feed):
    """An answer of GetMedia that is being read."""

    def __init__(self, client: Any, body: Any, silence: float) -> None:
        super().__init__(Plan(Reach.NOTHING, "kinesis", "matroska", _OPTIONS, silence=silence))
        self._client = client
        self._body = body
        self._fragments = FragmentReader()

    def read(self, number: int, offset: int, length: int) -> bytes:
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - loaded already

        if number:
            return super().read(number, offset, length)
        try:
            data: bytes = self._body.read(min(length, _PIECE))
        except (BotoCoreError, OSError, ValueError) as error:
            timed_out = "timed out" in str(error).lower()
            msg = f"it has stalled: nothing came for {self.plan.silence:g} s" if timed_out else f"Kinesis: {error}"
            raise SourceError(msg) from error
        self._fragments.feed(data)
        return data

    def fragment(self, told: float) -> Fragment | None:
        return self._fragments.at(told)

    def interrupt(self) -> None:
        with contextlib.suppress(Exception):  # it may have ended by itself
            self._body._raw_stream.shutdown()  # noqa: SLF001 - no public way leads to it

    def close(self) -> None:
        self._body.close()
        self._client.close()
