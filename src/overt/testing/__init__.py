# SPDX-License-Identifier: Apache-2.0
"""Contracts that every plug-in must pass, and the fakes and synthetic people that tests are made of."""
