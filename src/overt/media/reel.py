# SPDX-License-Identifier: Apache-2.0
"""Plays a video file: frames with their times, from any second on. Runs inside the worker; knows no pipe.

Time is a frame's presentation time less the track's start, never a count of frames, so a variable frame rate needs
nothing special. Time that stands still or steps back less than a second goes on by a millisecond; where it jumps back
further (joined recordings), and where a frame has no time at all, the frame follows the one before at the average
frame rate, and so do all after it until the next jump of the player itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from overt.media.hearing import Ear

CODECS = {"h264": "H.264", "hevc": "HEVC", "mpeg4": "MPEG-4", "vp8": "VP8", "vp9": "VP9", "av1": "AV1"}
"""What we play, by FFmpeg's name of the codec."""
MOST_PIXELS = 8192 * 4352
"""Of a frame as coded: 8K, in its wider form and with the rows that codecs add to fill their blocks."""
_VIDEO_DECODERS = "h264,hevc,mpeg4,vp8,vp9,libdav1d"
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
_PATIENCE = 250
"""Packets in a row that may give no frame because they are damaged: ten seconds at 25 frames a second."""
_JUMP = 1.0
_TICK = 0.001
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
        self._open()
        stream = self._stream
        self._rate = _plausible(stream.average_rate) or _plausible(stream.guessed_rate) or 25.0
        self._run = self._decoded()
        self._held = next(self._run, None)
        if self._held is None:
            _refuse("it has no frame that can be decoded: it is damaged, or was cut off")
        _, _, first = self._held
        self.rotation = round(-first.rotation / 90) % 4 * 90
        """Degrees clockwise by which frames are to be turned to be upright: 0, 90, 180 or 270."""
        self.width, self.height = first.width, first.height
        self.is_full_range = int(first.color_range) == 2 or first.format.name.startswith("yuvj")  # noqa: PLR2004
        self._next = 0.0

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
                if sound.codec_context is not None
            ],
        }

    def frames(
        self, start: float, end: float, rate: float = 0.0, size: tuple[int, int] | None = None, *, loudness: bool = False
    ) -> Iterator[Shown]:
        """Frames of a stretch of time, RGB. A range that begins where the last one ended goes on without a jump.

        Args: start, end: seconds; end may be inf. rate: looked-at frames a second, 0 = every one. The sample k of the
        grid k / rate belongs to the range with start <= k / rate < end and is the first frame not before it; a frame
        that several samples mean comes once, with the first of them. size: width and height of frames before the turn;
        default: the file's. loudness: whether to tell that of the time since the frame before.
        Raises: UnplayableError.
        """
        if start != self._next:
            self._turn(start)
        self._next = math.nan
        step = 1 / (rate or self._rate)
        heard = -1.0
        for time, frame in self._chosen(start, end, rate):
            level = None
            if loudness:
                begin = max(0.0, time - step) if heard < 0 else heard
                heard = max(time, begin + step) if heard < 0 else time  # the film's first frame: what follows it
                level = self._listen(begin, heard, anew=begin == 0 or level is None)
            yield Shown(self._rgb(frame, size), time, level)
        self._next = end
