# SPDX-License-Identifier: Apache-2.0
"""Following things from frame to frame: which box of now is which one of before. Knows no model and no store."""
