# SPDX-License-Identifier: Apache-2.0
"""Operations: one function for each operation of the API."""
