# SPDX-License-Identifier: Apache-2.0
"""Protocol: bytes to validated calls and answers back to bytes."""
