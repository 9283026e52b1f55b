# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = """
import boto3
client = boto3.client("overt")
pages = client.get_paginator("list_roles").paginate()
print(client.get_identity()["Kind"], [role for page in pages for role in page["Roles"]])
"""


def test_with_the_folder_boto3_knows_our_service(overt: Callable[..., Any], server: Any) -> None:
    folder = overt("sdk", "path").stdout.strip()
    assert (Path(folder) / "overt" / "2026-11-01" / "service-2.json").is_file()
    variables = {
        "AWS_DATA_PATH": folder,
        "AWS_ENDPOINT_URL_OVERT": server.url,
        "AWS_SHARED_CREDENTIALS_FILE": str(server.home / "credentials"),
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("owner ["), done.stderr
