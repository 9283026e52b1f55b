# SPDX-License-Identifier: Apache-2.0
"""`python -m overt` is the overt command."""

from overt.cli.main import main

main()
