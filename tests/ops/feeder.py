# SPDX-License-Identifier: Apache-2.0
"""Writes a film's H.264 to standard output in Annex B, over and over, at its own pace. Usage: feeder.py FILM."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import av
from av.bitstream import BitStreamFilterContext


def main() -> None:
    began, count = time.monotonic(), 0
    while True:
        with av.open(sys.argv[1]) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 25)
            bits = BitStreamFilterContext("h264_mp4toannexb", stream)
            for packet in container.demux(stream):
                if packet.size:
                    for unit in bits.filter(packet):
                        sys.stdout.buffer.write(bytes(unit))
                    sys.stdout.buffer.flush()
                    count += 1
                    time.sleep(max(began + count / rate - time.monotonic(), 0))


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
