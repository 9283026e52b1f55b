# SPDX-License-Identifier: Apache-2.0
"""What a source tells the worker that is to watch it: where the bytes are and how to read them. Opens nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from overt.media.confine import Reach


@dataclass(frozen=True, slots=True)
class Plan:
    """One opening of a stream.

    reach: what the worker needs beyond its pipes; NOTHING when the server hands it the bytes. name: what FFmpeg opens,
    or, with NOTHING, what further names are relative to. format: FFmpeg's name, "" = told by content. options:
    FFmpeg's. size: bytes of a file that can be sought in, else None. is_paced: whether frames are to come at the speed
    of their times, as for what is all there already. is_looped: whether to begin anew at its end. ends: whether its end
    is the end, and nothing to connect to again. silence: seconds without a packet after which it has stalled.
    """

    reach: Reach
    name: str
    format: str = ""
    options: dict[str, str] = field(default_factory=dict)
    size: int | None = None
    is_paced: bool = False
    is_looped: bool = False
    ends: bool = False
    silence: float = 5.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a stream: frames a second (0 = every one), longest side (0 = as it is), only key frames."""

    plan: Plan
    rate: float
    side: int
    keyframes_only: bool

    def packed(self) -> bytes:
        """As JSON."""
        told = asdict(self)
        told["plan"]["reach"] = self.plan.reach.value
        return json.dumps(told).encode()

    @classmethod
    def read(cls, raw: bytes | bytearray) -> Order:
        """What `packed` gave. Raises: ValueError, TypeError, KeyError."""
        told = json.loads(raw)
        plan = told.pop("plan")
        return cls(Plan(**{**plan, "reach": Reach(plan["reach"])}), **told)
