# SPDX-License-Identifier: Apache-2.0
"""Past one machine: search shards and model replicas on a Ray cluster. Loaded by name, and the only room with Ray."""

from __future__ import annotations

import os

# Ray reads these when it is imported. Nothing is reported to anybody; accelerators are left as they are.
for _name in ("RAY_USAGE_STATS_ENABLED", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "RAY_ENABLE_UV_RUN_RUNTIME_ENV"):
    os.environ.setdefault(_name, "0")
