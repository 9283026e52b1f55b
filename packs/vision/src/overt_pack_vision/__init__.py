# SPDX-License-Identifier: Apache-2.0
"""The vision models of overt. This package holds files and says where they lie; it loads nothing."""

from pathlib import Path

__all__ = ["folder"]


def folder() -> Path:
    """The folder with pack.toml, the ONNX files, the label files, the model card and the licences.

    Returns:
        An absolute path inside the installed package; overt finds this function under the entry point `overt.models`.
    """
    return Path(__file__).resolve().parent
