# SPDX-License-Identifier: Apache-2.0
"""Clients of AWS's services: one for each service and region, and which of their errors are for good."""

from __future__ import annotations

import subprocess
import sys

import botocore.exceptions
import pytest

from overt.outlets.base import SendError
from overt.outlets.clients import Clients, taken_by


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    return Clients({"sns": "http://127.0.0.1:1", "s3": None})


def test_a_client_is_made_once_for_a_region_and_after_a_close_anew(clients: Clients) -> None:
    first = clients.sns("eu-west-1")
    assert first is clients.sns("eu-west-1")
    assert first is not clients.sns("us-east-1")
    assert first.meta.endpoint_url == "http://127.0.0.1:1"
    assert clients.kinesis("eu-west-1").meta.endpoint_url == "https://kinesis.eu-west-1.amazonaws.com"
    assert clients.s3().meta.service_model.service_name == "s3"
    clients.close()
    assert first is not clients.sns("eu-west-1")
    clients.close()


@pytest.mark.parametrize(
    ("code", "is_permanent"), [("InvalidParameter", True), ("ThrottlingException", False), ("AccessDenied", False)]
)
def test_only_what_is_wrong_with_the_message_is_for_good(code: str, *, is_permanent: bool) -> None:
    with pytest.raises(SendError, match="the topic did not take it") as caught, taken_by("the topic"):
        raise botocore.exceptions.ClientError({"Error": {"Code": code}}, "Publish")
    assert caught.value.is_permanent is is_permanent


def test_parameters_that_cannot_be_sent_are_wrong_for_good(clients: Clients) -> None:
    with pytest.raises(SendError, match="cannot be sent") as caught, taken_by("the topic"):
        clients.sns("eu-west-1").publish(TopicArn=8750, Message="")  # type: ignore[arg-type]
    assert caught.value.is_permanent
    assert "8750" not in str(caught.value)
    clients.close()


def test_nobody_pays_for_boto3_who_does_not_use_it() -> None:
    code = "import sys, overt.outlets.clients as c; c.Clients({}); assert 'boto3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
