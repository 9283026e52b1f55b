# SPDX-License-Identifier: Apache-2.0
"""`overt sdk`: what AWS SDKs need to know of our own service."""

from __future__ import annotations

import typer

from overt.cli import output
from overt.wire import services

app = typer.Typer(help="Our own service in AWS SDKs.", no_args_is_help=True)


@app.callback()
def sdk() -> None:
    """Our own service in AWS SDKs."""


@app.command("path")
def path(as_json: output.JsonOption = False) -> None:
    """Print the folder for AWS_DATA_PATH, with which boto3 and the AWS command line know the service `overt`."""
    folder = str(services.FOLDER)
    output.show({"path": folder}, lambda: output.line(folder), as_json=as_json)
