# SPDX-License-Identifier: Apache-2.0
"""The worker program: turns untrusted JPEG and PNG bytes into RGB rows inside a process that can do nothing else.

`main` loads the codecs, confines the process and then answers frames on its pipes until they close. It knows no
network, no file, no face and no error class of the service; `sandbox` is the other end of the pipes.

Colours: embedded profiles are ignored, as face models were trained on such pixels. Transparent pixels are laid over
white. 16-bit values keep their upper 8 bits. CMYK becomes RGB by Pillow's plain formula.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, JpegImagePlugin, PngImagePlugin

from overt.media import confine, headers, pipes
from overt.media.frames import ANSWER, BAD, PIXELS, REQUEST, TRY, WORDS

Rows = npt.NDArray[np.uint8]

_STRIP = 1 << 20
"""Bytes of pixels converted at once: little beside a picture."""
_CPU_SECONDS = 3600
"""Ends a worker that spins after its server is gone; a served worker is replaced long before."""


class UndecodableError(ValueError):
    """The picture is damaged or of a kind we cannot decode; the message is for the caller."""


def main(memory: int) -> None:
    """Load, confine, announce, serve. Args: memory: bytes of address space this process may use."""
    _warm()
    import resource  # noqa: PLC0415 - absent on Windows

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    confine.limit(memory)
    pipes.say(WORDS, confine.confine())
    while (frame := pipes.read(REQUEST.size)) is not None:
        kind, length, side, pixels = REQUEST.unpack(frame)
        raw = pipes.read(length)
        if raw is None:
            return
        if kind == TRY:
            pipes.say(WORDS, "\n".join(confine.attempts()))
            continue
        try:
            _send(decode(bytes(raw), side, pixels))
        except UndecodableError as error:
            pipes.say(BAD, str(error))
        except MemoryError:
            pipes.say(BAD, "decoding it needs more memory than a picture may have")


def decode(raw: bytes, side: int, pixels: int) -> Rows:
    """Decode one picture and turn it upright.

    Args: raw: the file. side, pixels: the longest side and the most pixels its header may claim.
    Returns: (height, width, 3) uint8 RGB, perhaps a strided view.
    Raises: UndecodableError; MemoryError.
    """
    try:
        header = headers.read(raw)
        if max(header.width, header.height) > side or header.width * header.height > pixels:
            _refuse("its header claims too many pixels")
        rows = _jpeg(raw, header) if header.format == "JPEG" else _pillow(PngImagePlugin.PngImageFile, raw, header)
    except (UndecodableError, MemoryError):
        raise
    except Exception as error:  # a codec may raise anything at all on hostile bytes
        if "memory" in str(error):
            raise MemoryError from error
        raise UndecodableError(str(error) or type(error).__name__) from error
    return upright(rows, header.orientation)


def upright(rows: Rows, orientation: int) -> Rows:
    """A view of stored pixels as they are to be seen. Source: EXIF 2.32, tag 0x0112 Orientation."""
    if orientation in (3, 4, 7):
        rows = rows[::-1]
    if orientation in (2, 3, 7):
        rows = rows[:, ::-1]
    if orientation >= 5:  # noqa: PLR2004 - 5..8 lie on their side
        rows = rows.swapaxes(0, 1)
    if orientation == 6:  # noqa: PLR2004
        rows = rows[:, ::-1]
    if orientation == 8:  # noqa: PLR2004
        rows = rows[::-1]
    return rows


def _jpeg(raw: bytes, header: headers.Header) -> Rows:
    """By simplejpeg, whose strict mode tells damage; by Pillow what that does not take (CMYK, harmless oddities)."""
    if header.colours != 4:  # noqa: PLR2004 - CMYK, YCCK
        try:
            height, width, _, _ = simplejpeg.decode_jpeg_header(raw)
            _agree(header, width, height)
            rows: Rows = simplejpeg.decode_jpeg(raw, "RGB")
        except ValueError as error:
            # Pillow would fill the missing part of such a picture with grey and not say so.
            if isinstance(error, UndecodableError) or "premature" in str(error).lower():
                raise
        else:
            return rows
    return _pillow(JpegImagePlugin.JpegImageFile, raw, header)


def _pillow(codec: Callable[[io.BytesIO], Image.Image], raw: bytes, header: headers.Header) -> Rows:
    image = codec(io.BytesIO(raw))
    _agree(header, *image.size)
    image.load()
    width, height = image.size
    rows = np.empty((height, width, 3), np.uint8)
    for top, bottom in _strips(height, width * 3):
        rows[top:bottom] = _rgb(image.crop((0, top, width, bottom)))
    return rows


def _rgb(strip: Image.Image) -> Rows:
    """Pixels of any Pillow mode as RGB. A strip at a time, since Pillow keeps four bytes a pixel for each step."""
    if strip.mode.startswith("I"):
        return (np.asarray(strip, np.int32) >> 8).clip(0, 255).astype(np.uint8)[..., None]
    if strip.mode in ("RGBA", "LA", "PA") or "transparency" in strip.info:
        rgba = np.asarray(strip.convert("RGBA"), np.uint16)
        alpha = rgba[..., 3:]
        return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.asarray(strip.convert("RGB"))


def _agree(header: headers.Header, width: int, height: int) -> None:
    if (header.width, header.height) != (width, height):
        _refuse("its headers contradict one another")


def _refuse(why: str) -> NoReturn:
    raise UndecodableError(why)


def _strips(height: int, row_bytes: int) -> Iterator[tuple[int, int]]:
    step = max(1, _STRIP // row_bytes)
    for top in range(0, height, step):
        yield top, min(top + step, height)


def _warm() -> None:
    """Decode one picture of every kind, so that whatever a codec loads late is loaded before files are out of reach."""
    Image.MAX_IMAGE_PIXELS = None  # the limits that came with the request hold instead
    for mode, kind in (
        ("L", "JPEG"),
        ("RGB", "JPEG"),
        ("CMYK", "JPEG"),
        *((m, "PNG") for m in ("1", "P", "RGBA", "I;16")),
    ):
        file = io.BytesIO()
        Image.new(mode, (96, 96)).save(file, kind)
        decode(file.getvalue(), 96, 96 * 96)
    for broken in (b"\xff\xd8\xff", file.getvalue()[:60]):
        try:
            decode(broken, 96, 96 * 96)
        except UndecodableError as error:
            str(error).encode()


def _send(rows: Rows) -> None:
    pipes.write(ANSWER.pack(PIXELS, rows.shape[1], rows.shape[0], rows.size))
    pipes.write_rows(rows)


if __name__ == "__main__":
    main(int(sys.argv[1]))
