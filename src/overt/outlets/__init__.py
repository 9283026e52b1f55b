# SPDX-License-Identifier: Apache-2.0
"""Ways out of this machine that several rooms take: AWS's services and those like them, and signed web hooks."""
