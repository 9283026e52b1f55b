# SPDX-License-Identifier: Apache-2.0
"""Live streams: what they have to tell, and how it gets to those who are to be told."""
