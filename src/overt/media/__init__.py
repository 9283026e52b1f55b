# SPDX-License-Identifier: Apache-2.0
"""Pictures: from a request to upright RGB pixels. The last room that knows codecs, EXIF and buckets.

Imports nothing here: the decoding worker passes through this file and must start fast.
"""
