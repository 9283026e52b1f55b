# SPDX-License-Identifier: Apache-2.0
"""`overt up`: run the server in the foreground."""

from __future__ import annotations

import configparser
import importlib
import os
import signal
import sys
from typing import Annotated, Any

import structlog
import typer

from overt import app as application
from overt import settings
from overt.cli import logs, output
from overt.cli.home import SERVER_LOCK, alone
from overt.cli.listener import listen, serve
from overt.engine import Engine
from overt.govern import keys
from overt.settings import Settings
from overt.stores import urls
from overt.stores.base import NotFoundError

_PROFILE = "default"
log = structlog.get_logger(__name__)


def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 = any free one [default: 8750].")] = None,
    home: output.HomeOption = None,
    store: Annotated[
        str | None,
        typer.Option(help="URL of the database [default: overt.db in the home folder, or OVERT_STORE]."),
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="Ray cluster to spread over, `auto` or HOST:PORT of its head [default: none].")
    ] = None,
    as_json: output.JsonOption = False,
) -> None:
    """Run the server in the foreground until interrupted."""
    chosen = settings.load(home=home, host=host, port=port, store=store, ray=ray)
    with alone(chosen, SERVER_LOCK, "a server"):
        _serve(chosen, as_json=as_json)


def _serve(chosen: Settings, *, as_json: bool) -> None:
    listener = listen(chosen.host, chosen.port)
    logs.configure("json" if as_json else chosen.log_format)
    engine = Engine.open(chosen)
    fleet: Any = None
    # Uvicorn ends in good order and then raises the signal again, which would end us before we have closed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        ensure_owner(engine, chosen)
        engine.start()
        # Here alone: replicas take calls in this server's name, and nothing else.
        engine.desk.open()
        engine.post.open()
        engine.retention.open()
        if not _has_watchers(engine):
            engine.streams.open()
        for key_id in keys.foreign(engine.stores):
            log.warning("an access key does not work here: it was made with another master.key", key=key_id)
        for task, words in engine.models.problems.items():
            log.warning("a model cannot be used; calls that need it are refused", task=task, problem=words)
        address = f"{chosen.host if ':' not in chosen.host else f'[{chosen.host}]'}:{listener.getsockname()[1]}"
        fleet = _fleet(engine)
        serve(
            application.build(engine, fleet),
            listener,
            announce=lambda: _announce(f"http://{address}", chosen, as_json=as_json),
            farewell=engine.surroundings.hub.close,
        )
    except KeyboardInterrupt:
        pass  # the usual way to end it
    finally:
        if fleet is not None:
            fleet.close()
        engine.close()
        listener.close()


def ensure_owner(engine: Engine, chosen: Settings) -> None:
    """Make sure the credentials file in the home folder holds a key that works, making one when it does not."""
    credentials = configparser.ConfigParser()
    credentials.read(chosen.credentials)
    key_id = credentials.get(_PROFILE, "aws_access_key_id", fallback="")
    with engine.stores.read() as unit:
        try:
            if unit.keys.get(key_id).revoked is None:
                return
        except NotFoundError:
            pass
    made = keys.make(chosen.account, label="owner")
    with engine.stores.write() as unit:
        unit.keys.add(made.key)
    credentials[_PROFILE] = {"aws_access_key_id": made.key.id, "aws_secret_access_key": made.key.secret}
    descriptor = os.open(chosen.credentials, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        credentials.write(file)


def _fleet(engine: Engine) -> Any:
    """Who takes calls in this process's place, None when it does. Raises: StoreError."""
    if engine.settings.ray is None or not engine.settings.replicas:
        return None
    return importlib.import_module("overt.scale.replicas").open_fleet(engine)


def _has_watchers(engine: Engine) -> bool:
    """Whether others watch streams in this process's place; they are started where they are not there yet.

    Raises: StoreError.
    """
    if engine.settings.ray is None or not engine.settings.camera_workers:
        return False
    importlib.import_module("overt.scale.cameras").open_workers(engine)
    return True


def _announce(url: str, chosen: Settings, *, as_json: bool) -> None:
    result = {"ready": url, "home": str(chosen.home), "credentials": str(chosen.credentials)}

    def people() -> None:
        output.line(f"ready {url}")
        place = chosen.home if chosen.store is None else f"{urls.shown(chosen.store_url)} and {chosen.home}"
        output.line(f"data in {place}; to call it from any AWS SDK or the AWS command line:")
        output.line(f"  export AWS_ENDPOINT_URL_REKOGNITION={url}")
        output.line(f"  export AWS_SHARED_CREDENTIALS_FILE={chosen.credentials}")
        output.line(f"  export AWS_REGION={chosen.region} AWS_DEFAULT_REGION={chosen.region}")

    output.show(result, people, as_json=as_json)
