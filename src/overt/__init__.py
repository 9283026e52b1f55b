# SPDX-License-Identifier: Apache-2.0
"""overt: seeing in the open. Self-hosted face, image and video analysis behind Amazon Rekognition's wire protocol."""

__version__ = "0.1.0"
