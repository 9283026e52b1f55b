# SPDX-License-Identifier: Apache-2.0
"""Stored videos: what is looked for in them, chunk by chunk, so that a crash costs a chunk. Knows no wire."""
