# SPDX-License-Identifier: Apache-2.0
"""The one way a build ends early."""


class BuildStoppedError(Exception):
    """Something is not what pack.toml says it must be; the message tells a person what and where."""
