# SPDX-License-Identifier: Apache-2.0
"""Commands: one module for each, all through the operations and the engine."""
