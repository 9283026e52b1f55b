# SPDX-License-Identifier: Apache-2.0
"""What the models see, one task a module. Arrays and pixels inside; `faces` is the front and speaks overt's nouns."""
