# SPDX-License-Identifier: Apache-2.0
"""The service models that say which operations exist and what they take. Knows nothing of what they do.

Rekognition's model is botocore's own data, read once at start; an update of botocore updates the contract.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

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


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its operations by name, and how the wire names it."""

    name: str
    target_prefix: str
    api_version: str
    operations: dict[str, OperationModel]
    shapes: dict[str, Shape]


@cache
def rekognition() -> Service:
    """Amazon Rekognition as the installed botocore describes it."""
    model = ServiceModel(Loader().load_service_model("rekognition", "service-2"), "rekognition")
    return Service(
        name=model.service_name,
        target_prefix=model.metadata["targetPrefix"],
        api_version=model.metadata["apiVersion"],
        operations={name: model.operation_model(name) for name in model.operation_names},
        shapes={name: model.shape_for(name) for name in model.shape_names},
    )
