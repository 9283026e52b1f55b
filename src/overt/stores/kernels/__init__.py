# SPDX-License-Identifier: Apache-2.0
"""Ways to scan a matrix for the rows nearest to a probe. All give the same answer; they differ in speed."""
