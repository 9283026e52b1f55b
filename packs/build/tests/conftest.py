# SPDX-License-Identifier: Apache-2.0
"""Puts the shared build modules on the path, and keeps onnxruntime from talking to anybody."""

import os
import sys
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when onnxruntime is first imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
