# SPDX-License-Identifier: Apache-2.0
"""GStreamer's RTSP server as a camera that plays a film over and over. A program for the system's own Python.

Usage: gstreamer.py PORT FEEDER... : FEEDER is a command that writes H.264 in Annex B to its standard output, at its
own pace. Prints "ready"; ends when its standard input ends.
"""

from __future__ import annotations

import subprocess
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - after their versions are chosen

PIPELINE = (
    "( fdsrc fd={} do-timestamp=true blocksize=65536 ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


class Factory(GstRtspServer.RTSPMediaFactory):
    """Starts a feeder for each medium, and ends it with the next."""

    def __init__(self, command: list[str]) -> None:
        super().__init__()
        self.set_shared(True)
        self._command = command
        self._feeder: subprocess.Popen[bytes] | None = None

    def do_create_element(self, _url: object) -> object:
        """What plays."""
        self.end()
        self._feeder = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        return Gst.parse_launch(PIPELINE.format(self._feeder.stdout.fileno()))

    def end(self) -> None:
        """No feeder is left."""
        if self._feeder is not None:
            self._feeder.kill()
            self._feeder.wait()


def main() -> None:
    Gst.init(None)
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = Factory(sys.argv[2:])
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()  # whoever started us has gone
    print("ready", flush=True)
    loop.run()
    factory.end()


main()
