# SPDX-License-Identifier: Apache-2.0
"""Eyes: model packs, their sessions, and what they see in a picture. Knows no HTTP, no storage, no picture format."""
