# SPDX-License-Identifier: Apache-2.0
"""Conduct: the gate every call passes and the record it leaves."""
