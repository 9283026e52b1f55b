# SPDX-License-Identifier: Apache-2.0
"""Clients of AWS's services, or of others that speak their protocols; loaded when first needed, as boto3 is slow.

Credentials are the server's own, found where boto3 looks for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from overt.outlets.base import SECONDS, SendError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

# What is wrong with the message itself, and stays wrong. Refused credentials and missing targets can be put right.
_PERMANENT = frozenset(
    {
        "EntityTooLarge",
        "InvalidArgumentException",
        "InvalidParameter",
        "InvalidParameterValue",
        "KeyTooLongError",
        "SerializationException",
        "ValidationError",
        "ValidationException",
    }
)


class Clients:
    """One client for each service and region. Thread-safe.

    Args: endpoints: URLs of services other than AWS, by the service's name: kinesis, s3, sns.
    """

    def __init__(self, endpoints: Mapping[str, str | None]) -> None:
        self._endpoints = dict(endpoints)
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str | None], Any] = {}

    def kinesis(self, region: str) -> KinesisClient:
        """A client of Kinesis Data Streams."""
        client: KinesisClient = self._get("kinesis", region)
        return client

    def sns(self, region: str) -> SNSClient:
        """A client of the notification service."""
        client: SNSClient = self._get("sns", region)
        return client

    def s3(self) -> S3Client:
        """A client of the object store, in the region that the server's own settings of boto3 name."""
        client: S3Client = self._get("s3", None)
        return client

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _get(self, service: str, region: str | None) -> Any:
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                client = self._make(service, region)
                self._clients[service, region] = client
            return client

    def _make(self, service: str, region: str | None) -> Any:
        import boto3  # noqa: PLC0415 - 0.2 s that only users of these services pay
        from botocore.config import Config  # noqa: PLC0415

        endpoint = self._endpoints.get(service)
        config = Config(
            connect_timeout=SECONDS,
            read_timeout=SECONDS,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path" if endpoint else "auto"},
        )
        make: Callable[..., Any] = boto3.session.Session().client
        return make(service, region_name=region, endpoint_url=endpoint, config=config)


@contextmanager
def taken_by(who: str) -> Iterator[None]:
    """Within the block, errors of these clients are SendErrors. Args: who: does not take it, in words."""
    import botocore.exceptions  # noqa: PLC0415

    try:
        yield
    except botocore.exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        msg = f"{who} did not take it: {error}"
        raise SendError(msg, is_permanent=code in _PERMANENT) from error
    except botocore.exceptions.ParamValidationError:
        msg = f"{who} cannot be sent this: a parameter is out of bounds"  # the error's own words quote it
        raise SendError(msg, is_permanent=True) from None
    except botocore.exceptions.BotoCoreError as error:
        msg = f"{who} did not take it: {error}"
        raise SendError(msg) from error
