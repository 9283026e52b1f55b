# SPDX-License-Identifier: Apache-2.0
"""Plays a video file: frames with their times, from any second on. Runs inside the worker; knows no pipe.

Time is a frame's presentation time less the track's start, never a count of frames, so a variable frame rate needs
nothing special. Time that stands still or steps back less than a second goes on by a millisecond; where it jumps back
further (joined recordings), and where a frame has no time at all, the frame follows the one before at the average
frame rate, and so do all after it until the next jump of the player itself.
"""

from __future__ import annotations

import contextlib
import errno
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, NoReturn, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from overt.media.hearing import Ear

CODECS = {
    "h264": "H.264",
    "hevc": "HEVC",
    "mpeg4": "MPEG-4",
    "msmpeg4v3": "DivX 3",
    "vp8": "VP8",
    "vp9": "VP9",
    "av1": "AV1",
}
"""What we play, by FFmpeg's name of the codec."""
MOST_PIXELS = 8192 * 4352
"""Of a frame as coded: 8K, in its wider form and with the rows that codecs add to fill their blocks."""
_VIDEO_DECODERS = "h264,hevc,mpeg4,msmpeg4,vp8,vp9,libdav1d"
_AUDIO_DECODERS = (
    "aac,aac_fixed,mp3float,mp3,opus,libopus,vorbis,flac,alac,ac3,eac3,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_mulaw,pcm_alaw"
)
_OPTIONS = {
    "format_whitelist": "mov,mp4,matroska,webm,avi",
    "codec_whitelist": f"{_VIDEO_DECODERS},{_AUDIO_DECODERS}",
    "protocol_whitelist": "",  # nothing but the file object we give
    "max_pixels": str(MOST_PIXELS),
    "max_streams": "64",
}
_BUFFER = 1 << 18
"""Bytes asked for at once."""
_PATIENCE = 50
"""Packets in a row that may be damaged: two seconds at 25 frames a second."""
_JUMP = 1.0
_TICK = 0.001
_AGES = 10 * 365 * 86400
"""Seconds; after the end of any file."""
_FASTEST = 1000
_DUST = 1e-6
"""Of a grid step: two ways to reckon the same moment differ by less."""


class UnplayableError(ValueError):
    """The file is no video we play, or damaged; the message is for the caller."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame to look at. time: seconds from the start. loudness: dB, None where not asked for or without sound."""

    frame: VideoFrame
    time: float
    loudness: float | None


class Reel:
    """One opened video file.

    Args: opener: gives the file anew, readable and seekable, at its start. pulse: called with every packet decoded.
    Raises: UnplayableError; what reading the file raises.
    """

    def __init__(self, opener: Callable[[], BinaryIO], pulse: Callable[[], None] = lambda: None) -> None:
        self._opener = opener
        self._pulse = pulse
        self._reformatter = VideoReformatter()
        self._ear: Ear | None = None
        self._origin: float | None = None
        self._last = -math.inf
        self._container = _container(opener)
        self._load()
        stream = self._stream
        self._rate = _plausible(stream.average_rate) or _plausible(stream.guessed_rate) or 25.0
        self._run = self._decoded(-math.inf)
        self._held = next(self._run, None)
        if self._held is None:
            _refuse("it has no frame that can be decoded: it is damaged, or was cut off")
        _, _, first = self._held
        self.rotation = round(-first.rotation / 90) % 4 * 90
        """Degrees clockwise by which frames are to be turned to be upright: 0, 90, 180 or 270."""
        self.width, self.height = first.width, first.height
        self.is_full_range = int(first.color_range) == 2 or first.format.name.startswith("yuvj")  # noqa: PLR2004
        self._next: tuple[float, float | None] | None = (0.0, None)
        """Where the film stands: the end of the last range and its rate (None = any)."""

    def footage(self) -> dict[str, Any]:
        """What the file says of itself, as JSON can hold it: width and height before the turn."""
        stream = self._stream
        duration = self._duration()
        return {
            "codec": stream.codec_context.codec.canonical_name,
            "container": self._container_name(),
            "duration": duration,
            "frame_rate": self._rate,
            "width": self.width,
            "height": self.height,
            "rotation": self.rotation,
            "is_full_range": self.is_full_range,
            "sounds": [
                {
                    "codec": sound.codec_context.codec.canonical_name,
                    "duration": _seconds(sound.duration, sound.time_base) or duration,
                    "sample_rate": sound.codec_context.sample_rate,
                    "channels": sound.codec_context.channels,
                }
                for sound in self._container.streams.audio
                if cast("object", sound.codec_context) is not None  # whatever the types say
            ],
        }

    def frames(
        self,
        start: float,
        end: float,
        rate: float = 0.0,
        size: tuple[int, int] | None = None,
        *,
        loudness: bool = False,
    ) -> Iterator[Shown]:
        """Frames of a stretch of time, RGB. A range that begins where the last one ended goes on without a jump.

        Args: start, end: seconds; end may be inf. rate: looked-at frames a second, 0 = every one. The sample k of the
        grid k / rate belongs to the range with start <= k / rate < end and is the first frame not before it; a frame
        that several samples mean comes once, with the first of them. size: width and height of frames before the turn;
        default: the file's. loudness: whether to tell that of the time since the frame before.
        Raises: UnplayableError.
        """
        if self._next not in ((start, rate), (start, None)):
            self._turn(start)
        self._next = None
        step = 1 / (rate or self._rate)
        begin: float | None = None
        for time, frame in self._chosen(start, end, rate):
            level = None
            if loudness:
                is_first = begin is None
                begin = max(0.0, time - step) if begin is None else begin
                # Nothing comes before the film's first frame: it gets what follows it.
                level = self._heard(begin, time if time > begin else begin + step, anew=is_first or begin == 0)
                begin = time
            yield Shown(self._rgb(frame, size or (self.width, self.height)), time, level)
        self._next = (end, rate)

    def _chosen(self, start: float, end: float, rate: float) -> Iterator[tuple[float, VideoFrame]]:
        first_sample = math.ceil(start * rate - _DUST)
        end_sample = math.inf if math.isinf(end) else math.ceil(end * rate - _DUST)
        while True:
            before = self._last if self._held is None else self._held[0]
            if rate and _sample(before, rate) + 1 >= end_sample:
                return  # all samples of this range have had their frame, though the frame's time may not be at the end
            if self._held is None:
                self._held = next(self._run, None)
            if self._held is None:
                return
            _, time, frame = self._held
            if rate:
                sample = _sample(before, rate) + 1
                chosen = first_sample <= sample <= _sample(time, rate)
            elif time >= end:
                return
            else:
                chosen = time >= start
            self._held = None
            if chosen:
                yield time, frame

    def _turn(self, start: float) -> None:
        """Go to where the frame before `start` is decodable: what a sample means depends on the frame before."""
        back = 0.0
        while start - back > 0 and self._seek(start - back):
            self._run = self._decoded(math.nan)
            self._held = next(self._run, None)
            if self._held is not None and self._held[1] < start:
                return
            back = back * 4 or 1.0  # the index is not exact, or the first frames need earlier ones
        self._container.close()
        self._container = _container(self._opener)
        self._load()
        self._run = self._decoded(-math.inf)
        self._held = None
        self._last = -math.inf

    def _seek(self, time: float) -> bool:
        """Go to the key frame before a moment. Returns: whether the file can be sought in."""
        try:
            self._container.seek(int((time + (self._origin or 0.0)) / self._base) - 1, stream=self._stream)
        except av.FFmpegError:
            return False
        return True

    def _load(self) -> None:
        self._stream = _video(self._container)
        self._base = self._stream.time_base or Fraction(1, 1000)
        self._is_avi = self._container.format.name == "avi"
        # AVI has times of decoding only: a frame gets that of the packet which brought it out, less the delay.
        if self._origin is None and not self._is_avi:
            self._origin = _seconds(self._stream.start_time, self._base)

    def _decoded(self, before: float) -> Iterator[tuple[float, float, VideoFrame]]:
        """Time of the frame before (NaN = not known, -inf = there is none), time, frame."""
        shift = 0.0
        self._last = before
        for frame in self._frames():
            ticks = frame.dts if frame.pts is None or self._is_avi else frame.pts
            known = not math.isnan(self._last) and not math.isinf(self._last)
            follows = self._last + 1 / self._rate if known else 0.0
            if ticks is None:
                time = follows
            else:
                told = float(ticks * self._base)
                if self._origin is None:
                    self._origin = told
                time = told - self._origin + shift
                if known and time < self._last - _JUMP:
                    shift += follows - time
                    time = follows
                else:
                    time = max(time, self._last + _TICK if known else 0.0)
            before, self._last = self._last, time
            yield before, time, frame

    def _frames(self) -> Iterator[VideoFrame]:
        """Decoded frames in the order they are shown. A file that was cut off ends early."""
        damaged = 0
        context = self._stream.codec_context
        for packet in self._packets():
            self._pulse()
            try:
                frames = context.decode(packet)
            except av.FFmpegError as error:
                if error.errno == errno.ENOMEM:
                    raise MemoryError from error
                damaged += 1
                if damaged > _PATIENCE:
                    _refuse(
                        f"nothing can be decoded after {max(0.0, self._last):.1f} s: it is damaged or changes its codec"
                    )
                continue
            damaged = 0 if frames else damaged
            yield from frames

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError:  # the file ends in the middle of something
            yield None

    def _rgb(self, frame: VideoFrame, size: tuple[int, int]) -> VideoFrame:
        """Frames of another size than the first come out in its shape, since boxes are ratios of one picture."""
        return self._reformatter.reformat(
            frame,
            *size,
            format="rgb24",
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )

    def _heard(self, begin: float, until: float, *, anew: bool) -> float | None:
        if self._ear is None:
            self._ear = Ear(lambda: _container(self._opener), 0.0 if self._is_avi else self._origin or 0.0)
        if anew:
            self._ear.turn(begin)
        return self._ear.loudness(begin, until)

    def _duration(self) -> float:
        """Seconds, by the file's head, else by its last packets, for which it may have to be read to its end."""
        told = (self._container.duration or 0) / av.time_base or _seconds(self._stream.duration, self._base)
        if told:
            return max(0.0, told)
        with _container(self._opener) as container:
            stream = _video(container)
            with contextlib.suppress(av.FFmpegError):
                container.seek(int(_AGES / self._base), stream=stream)
            end = 0.0
            with contextlib.suppress(av.FFmpegError):
                for packet in container.demux(stream):
                    self._pulse()
                    ticks = packet.dts if packet.pts is None else packet.pts
                    if ticks is not None:
                        end = max(end, float((ticks + (packet.duration or 0)) * self._base))
        return max(0.0, end - (self._origin or 0.0))

    def _container_name(self) -> str:
        name = self._container.format.name
        if "mov" in name:
            return "MOV" if self._container.metadata.get("major_brand", "").strip() == "qt" else "MP4"
        if "matroska" in name:
            with contextlib.closing(self._opener()) as file:
                return "WEBM" if b"webm" in file.read(64) else "MKV"
        return "AVI"


def _container(opener: Callable[[], BinaryIO]) -> InputContainer:
    try:
        return av.open(opener(), "r", options=_OPTIONS, buffer_size=_BUFFER, metadata_errors="replace")
    except av.FFmpegError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from error
        _refuse("it is no MP4, MOV, MKV, WebM or AVI, or it is damaged or cut off")


def _video(container: InputContainer) -> VideoStream:
    """The track to play, ready for one thread. Raises: UnplayableError."""
    best = container.streams.best("video")
    tracks = [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]
    if not tracks:
        _refuse("it has no video track")
    stream = next((track for track in tracks if track is best), tracks[0])
    # A track that nothing can decode has no context, whatever the types say.
    context = cast("VideoCodecContext | None", stream.codec_context)
    if context is None or context.codec.canonical_name not in CODECS:
        what = "something unknown" if context is None else context.codec.canonical_name
        _refuse(f"its pictures are coded as {what}; send {', '.join(CODECS.values())}")
    context.thread_count = 1
    context.options = {"max_pixels": str(MOST_PIXELS)}
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    return stream


def _sample(time: float, rate: float) -> float:
    """The last sample of the grid not after a time: -1 before the first, NaN where the time is not known."""
    return time if math.isnan(time) else -1 if time < 0 else math.floor(time * rate + _DUST)


def _seconds(ticks: int | None, base: Fraction | None) -> float | None:
    return None if ticks is None or base is None else float(ticks * base)


def _plausible(rate: Fraction | None) -> float | None:
    return float(rate) if rate is not None and 0 < rate <= _FASTEST else None


def _refuse(why: str) -> NoReturn:
    raise UnplayableError(why)
