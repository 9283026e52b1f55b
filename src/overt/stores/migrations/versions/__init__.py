# SPDX-License-Identifier: Apache-2.0
"""Revisions, oldest first. One that was released is never changed again."""
