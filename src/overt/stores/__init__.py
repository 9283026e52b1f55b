# SPDX-License-Identifier: Apache-2.0
"""Memory: collections, faces, users, tags, tokens, keys and records on disk, and exact search over them.

`base` is the contract, `sql` the store behind it. Knows no wire, no model and no picture.
"""
