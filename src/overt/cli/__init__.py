# SPDX-License-Identifier: Apache-2.0
"""Commands: one module for each, all through the operations and the engine."""

import os

# Before numpy is imported: its matrix products would start threads of their own inside ours, and keep cores spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
