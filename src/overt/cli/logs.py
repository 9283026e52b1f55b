# SPDX-License-Identifier: Apache-2.0
"""How log lines look: text on a terminal, JSON elsewhere. Calls log ids, operations and times, no more."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(form: str, *, quiet: bool = False) -> None:
    """Send structlog to standard error.

    Args: form: "auto", "json" or "text". quiet: errors only, for commands whose output is their result.
    """
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever standard error is by then
    )
