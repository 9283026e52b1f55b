# SPDX-License-Identifier: Apache-2.0
"""Where live streams come from, one class for each URL scheme."""
