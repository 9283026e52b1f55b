# SPDX-License-Identifier: Apache-2.0
"""The extension module; all else is in pyproject.toml."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "overt_kernels",
            ["overt_kernels.c"],
            depends=["level.h"],
            extra_compile_args=["-O3", "-std=c11"],
            py_limited_api=True,
        )
    ]
)
