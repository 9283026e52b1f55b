# SPDX-License-Identifier: Apache-2.0
"""Stored video: what its frames add up to, looked at as long-running work. Knows no wire."""
