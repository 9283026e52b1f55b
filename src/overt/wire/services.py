# SPDX-License-Identifier: Apache-2.0
"""The service models that say which operations exist and what they take. Knows nothing of what they do.

Rekognition's and STS's are botocore's own data, read once at start; an update of botocore updates the contract. Our own
service's lies beside this module, in the folders in which SDKs look for models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

# Unicode property classes that Java's regular expressions know and Python's do not, as the model uses them.
# \w is every letter and number plus the underscore; wherever the model writes \p{L} it allows \p{N} and _ as well.
_UNICODE_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}


@cache
def pattern(text: str) -> re.Pattern[str]:
    """The model's pattern, compiled; use it with fullmatch, as AWS matches whole values.

    Raises: re.error for a construct Python lacks and `_UNICODE_CLASSES` does not translate.
    """
    for java, python in _UNICODE_CLASSES.items():
        text = text.replace(java, python)
    return re.compile(text)


FOLDER = Path(__file__).parent
"""What AWS_DATA_PATH must name for botocore to know our own service."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its operations by name, and how the wire names it.

    target_prefix: of X-Amz-Target. namespace: of its XML. Both "" = it has none.
    """

    name: str
    signing_name: str
    target_prefix: str
    namespace: str
    api_version: str
    operations: dict[str, OperationModel]
    shapes: dict[str, Shape]


@cache
def rekognition() -> Service:
    """Amazon Rekognition as the installed botocore describes it."""
    return _read(Loader(), "rekognition")


@cache
def sts() -> Service:
    """AWS Security Token Service, of which AssumeRole and GetCallerIdentity are offered."""
    return _read(Loader(), "sts")


@cache
def overt() -> Service:
    """Our own service: what Rekognition has no operations for."""
    return _read(Loader(extra_search_paths=[str(FOLDER)], include_default_search_paths=False), "overt")


def documented() -> Sequence[Service]:
    """Services that speak JSON; STS speaks forms and XML."""
    return rekognition(), overt()


def named(name: str) -> Service:
    """The service of a name. Raises: KeyError."""
    return {"rekognition": rekognition, "sts": sts, "overt": overt}[name]()


def _read(loader: Loader, name: str) -> Service:
    model = ServiceModel(loader.load_service_model(name, "service-2"), name)
    return Service(
        name=name,
        signing_name=model.signing_name,
        target_prefix=model.metadata.get("targetPrefix", ""),
        namespace=model.metadata.get("xmlNamespace", ""),
        api_version=model.metadata["apiVersion"],
        operations={name: model.operation_model(name) for name in model.operation_names},
        shapes={name: model.shape_for(name) for name in model.shape_names},
    )
