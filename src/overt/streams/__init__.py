# SPDX-License-Identifier: Apache-2.0
"""Live video: who of a list is in front of a camera, and telling it to those who are to know. Knows no wire."""
