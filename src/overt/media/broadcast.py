# SPDX-License-Identifier: Apache-2.0
"""Decodes a live stream: the frames wanted of it, with times that only rise. Runs inside the worker; knows no pipe.

Times begin at 0 with the first frame and follow the stream's own, however it counts; where those jump (a loop's end, a
camera whose clock was set) the frame follows the one before at the stream's frame rate. A machine that cannot decode
as fast as frames come decodes key frames only until it has caught up, so that no stream is ever seconds late for long.
"""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, NoReturn, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from overt.media.confine import Reach
from overt.media.plan import Order

CODECS = {
    "h264": "H.264",
    "hevc": "HEVC",
    "mjpeg": "MJPEG",
    "mpeg4": "MPEG-4",
    "vp8": "VP8",
    "vp9": "VP9",
    "av1": "AV1",
    "rawvideo": "uncompressed",
}
"""What we watch, by FFmpeg's name of the codec."""
MOST_PIXELS = 8192 * 4352
"""Of a frame as coded: 8K in its wider form."""
_OPTIONS = {
    "codec_whitelist": "h264,hevc,mjpeg,mpeg4,vp8,vp9,libdav1d,rawvideo,"
    "aac,aac_fixed,mp3float,mp3,opus,libopus,vorbis,pcm_mulaw,pcm_alaw,pcm_s16le,pcm_s16be,adpcm_g726,adpcm_g726le",
    "max_pixels": str(MOST_PIXELS),
    "max_streams": "64",
}
_BUFFER = 1 << 16
"""Bytes asked of the server at once: little, since a live stream's come one by one."""
_OPEN_SECONDS = 8.0
_PATIENCE = 100
"""Packets in a row that give nothing but errors: seconds, after which the stream is opened anew."""
_JUMP = 60.0
"""Seconds between two frames that are no pause but another count."""
_TICK = 0.001
_LATE = 1.0
"""Seconds behind its pace after which a film no longer tries to catch up; below them, who hurried has caught up."""
_LATEST = 3.0
"""Seconds that a live stream may be late; above what a camera sends at once and a busy moment takes."""
_DRIFT = 2e-4
"""Seconds a second that a camera's clock may be slow before that reads as being late."""
_NAP = 0.5
_FASTEST = 1000


class UnwatchableError(ValueError):
    """The stream cannot be watched, or not on; the message is for a person and holds no address."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame to look at: RGB, not yet turned. time: seconds since the first. told: the stream's own time, or NaN."""

    frame: VideoFrame
    time: float
    told: float
    degrees: int


class Broadcast:
    """One opening of a stream.

    Args: order: what is wanted. opener: gives the bytes anew, where the server has them. follow: gives what a playlist
    names. pulse: called with every packet and in every pause.
    """

    def __init__(
        self,
        order: Order,
        opener: Callable[[], BinaryIO],
        follow: Callable[[str], BinaryIO],
        pulse: Callable[[], None] = lambda: None,
    ) -> None:
        self._order = order
        self._opener = opener
        self._follow = follow
        self._pulse = pulse
        self._reformatter = VideoReformatter()
        self._container: InputContainer | None = None
        self._time = self._told = math.nan
        self._due = 0.0
        self._anchor = math.nan
        self._hurried = False
        self._behind, self._promptest, self._seen = math.nan, math.inf, 0.0
        self.decoded = 0
        """Frames so far."""
        self.damaged = 0
        """Packets so far that could not be decoded."""

    def open(self) -> None:
        """Connect. Raises: UnwatchableError."""
        plan = self._order.plan
        options = {**_OPTIONS, **plan.options}
        more: dict[str, Any] = {"format": plan.format} if plan.format else {}
        file: Any = plan.name
        if plan.reach is Reach.NOTHING:
            file = self._opener()
            more["io_open"] = lambda url, _flags, _options: self._follow(url)
            more["buffer_size"] = _BUFFER
        else:
            more["timeout"] = (_OPEN_SECONDS, plan.silence)
        try:
            self._container = av.open(file, "r", options=options, metadata_errors="replace", **more)
        except (av.FFmpegError, OSError) as error:
            _fail(error, plan.silence)
        except ValueError as error:
            msg = f"this build of FFmpeg cannot read {plan.format or 'it'}"
            raise UnwatchableError(msg) from error

    def close(self) -> None:
        """Disconnect."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def sights(self) -> Iterator[Sight]:
        """The frames wanted, as they come; ends where the stream does. Raises: UnwatchableError; MemoryError."""
        rate = self._order.rate
        while True:
            if self._container is None:
                self.open()
            before = self.decoded
            for frame, moment, told in self._timed():
                if self._order.plan.is_paced:
                    self._wait(moment)
                if rate:
                    if moment < self._due - _TICK / 2:
                        continue
                    self._due = (math.floor(moment * rate + _TICK) + 1) / rate
                yield Sight(self._rgb(frame), moment, told, round(-frame.rotation / 90) % 4 * 90)
            self.close()
            if not self._order.plan.is_looped or self.decoded == before:
                return

    def _timed(self) -> Iterator[tuple[VideoFrame, float, float]]:
        """Frames, their times, and the stream's own."""
        stream = _video(cast("InputContainer", self._container), keyframes_only=self._order.keyframes_only)
        rate = stream.average_rate or stream.guessed_rate
        step = 1 / float(rate) if rate is not None and 1 <= rate <= _FASTEST else 0.04
        base = stream.time_base or Fraction(1, _FASTEST)
        self._told = math.nan  # a new count
        for frame in self._frames(stream):
            told = math.nan if frame.pts is None else float(frame.pts * base)
            passed = told - self._told
            if math.isnan(self._time):
                self._time = 0.0
            elif -1 < passed < _JUMP:
                self._time += max(passed, _TICK)
            else:
                self._time += step
            if math.isnan(self._told) or not -1 < passed <= 0:
                self._told = told
            yield frame, self._time, told

    def _frames(self, stream: VideoStream) -> Iterator[VideoFrame]:
        context = stream.codec_context
        only_keys = self._order.keyframes_only
        failed = 0
        for packet in self._packets(stream):
            self._pulse()
            if (only_keys or self._is_hurried(packet, stream)) and (packet is None or not packet.is_keyframe):
                continue
            try:
                frames = context.decode(packet)
                if only_keys:  # a decoder that waits for frames to reorder would hold a key frame until the next
                    frames += context.decode(None)
                    context.flush_buffers()
            except av.FFmpegError as error:
                if error.errno == errno.ENOMEM:
                    raise MemoryError from error
                self.damaged += 1
                failed += 1
                if failed > _PATIENCE:
                    msg = "nothing of it can be decoded: it is damaged, or changed its codec"
                    raise UnwatchableError(msg) from error
                if only_keys:
                    context.flush_buffers()
                continue
            for frame in frames:
                failed = 0
                self.decoded += 1
                yield frame

    def _is_hurried(self, packet: Packet[VideoStream] | None, stream: VideoStream) -> bool:
        """Whether so much waits to be decoded that only key frames can be, until what comes is new again."""
        ticks = None if packet is None else packet.pts if packet.dts is None else packet.dts
        if self._order.plan.is_paced or packet is None or ticks is None:
            return self._hurried and packet is not None
        now = time.monotonic()
        behind = now - float(ticks * (stream.time_base or 0))
        if not abs(behind - self._behind) < _JUMP:
            self._promptest = math.inf  # another count
        self._promptest = min(behind, self._promptest + _DRIFT * (now - self._seen))
        self._behind, self._seen = behind, now
        late = behind - self._promptest
        if late > _LATEST:
            self._hurried = True
        elif late < _LATE and packet.is_keyframe:
            self._hurried = False
        return self._hurried

    def _packets(self, stream: VideoStream) -> Iterator[Packet[VideoStream] | None]:
        container = cast("InputContainer", self._container)
        try:
            yield from container.demux(stream)
        except (av.FFmpegError, OSError) as error:
            if self._order.plan.size is None:
                _fail(error, self._order.plan.silence)
            yield None  # a file that ends in the middle of something

    def _wait(self, moment: float) -> None:
        now = time.monotonic()
        if math.isnan(self._anchor) or now - (self._anchor + moment) > _LATE:
            self._anchor = now - moment
        while (rest := self._anchor + moment - time.monotonic()) > 0:
            time.sleep(min(rest, _NAP))
            self._pulse()

    def _rgb(self, frame: VideoFrame) -> VideoFrame:
        width, height = frame.width, frame.height
        if self._order.side and max(width, height) > self._order.side:
            scale = self._order.side / max(width, height)
            width, height = max(1, round(width * scale)), max(1, round(height * scale))
        return self._reformatter.reformat(
            frame,
            width,
            height,
            format="rgb24",
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )


def _video(container: InputContainer, *, keyframes_only: bool) -> VideoStream:
    """The track to watch, ready for one thread. Raises: UnwatchableError."""
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        msg = "it has no pictures"
        raise UnwatchableError(msg)
    # A track that nothing can decode has no context, whatever the types say.
    context = cast("VideoCodecContext | None", stream.codec_context)
    if context is None or context.codec.canonical_name not in CODECS:
        what = "something unknown" if context is None else context.codec.canonical_name
        msg = f"its pictures are coded as {what}; we watch {', '.join(CODECS.values())}"
        raise UnwatchableError(msg)
    context.thread_count = 1
    context.options = {"max_pixels": str(MOST_PIXELS)}
    if keyframes_only:
        context.skip_frame = "NONKEY"
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    return stream


_SAID = {
    errno.ECONNREFUSED: "the connection was refused: nothing listens there",
    errno.EHOSTUNREACH: "there is no way to that address",
    errno.ENETUNREACH: "there is no way to that address",
    errno.ECONNRESET: "the connection was broken off",
    errno.EPIPE: "the connection was broken off",
    errno.ENOENT: "there is no such device",
    errno.EACCES: "this user may not read the device",
    errno.EBUSY: "another program uses the device",
}


def _fail(error: av.FFmpegError | OSError, silence: float) -> NoReturn:
    """In words without the address, which FFmpeg's own carry. Raises: UnwatchableError; MemoryError."""
    if error.errno == errno.ENOMEM:
        raise MemoryError from None
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        msg = "the camera refused the name or the password"
    elif error.errno == errno.ETIMEDOUT or isinstance(error, av.error.ExitError):
        msg = f"it has stalled: nothing came for {silence:g} s"
    elif isinstance(error, av.error.EOFError):
        msg = "the stream ended"
    else:
        msg = _SAID.get(error.errno or 0, error.strerror or type(error).__name__)
    raise UnwatchableError(msg) from None
