# SPDX-License-Identifier: Apache-2.0
"""The `overt` command: all subcommands in one application, and errors in words instead of tracebacks.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from overt import __version__
from overt.cli import (
    alerts,
    backup,
    bench,
    cameras,
    cluster,
    collections,
    config,
    deliveries,
    demo,
    discovering,
    doctor,
    evaluate,
    faces,
    glimpse,
    image,
    jobs,
    keys,
    migrate,
    models,
    moratorium,
    output,
    policy,
    portable,
    reindexing,
    reports,
    roles,
    sdk,
    session,
    streams,
    up,
    verify,
    video,
    watch,
)
from overt.cli.output import CommandError
from overt.errors import WireError
from overt.models.pack import PackError
from overt.stores.base import StoreError

app = typer.Typer(
    name="overt",
    help="Self-hosted, accountable face analysis behind Amazon Rekognition's wire protocol.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore_backup)
app.command("image")(image.image)
app.command("video")(video.video)
app.command("verify")(verify.verify)
app.command("watch")(watch.watch)
app.command("login")(session.login)
app.add_typer(keys.app, name="keys")
app.add_typer(roles.app, name="roles")
app.add_typer(sdk.app, name="sdk")
app.add_typer(jobs.app, name="jobs")
app.add_typer(streams.app, name="streams")
app.add_typer(deliveries.app, name="deliveries")
cameras.app.command("test")(glimpse.glimpse)
cameras.app.command("discover")(discovering.discover)
app.add_typer(cameras.app, name="cameras")
app.add_typer(alerts.app, name="alerts")
collections.app.command("export")(portable.export)
collections.app.command("import")(portable.import_collection)
collections.app.command("reindex")(reindexing.reindex)
app.add_typer(collections.app, name="collections")
app.add_typer(faces.app, name="faces")
app.add_typer(migrate.app, name="migrate")
app.add_typer(models.app, name="models")
app.add_typer(evaluate.app, name="eval")
app.add_typer(reports.app, name="report")
app.add_typer(bench.app, name="bench")
app.add_typer(cluster.app, name="cluster")
app.add_typer(config.app, name="config")
app.add_typer(policy.app, name="policy")
app.add_typer(moratorium.app, name="moratorium")


@app.command("version")
def version(as_json: output.JsonOption = False) -> None:
    """Print the version."""
    output.show({"version": __version__}, lambda: output.line(__version__), as_json=as_json)


def main() -> None:
    """Run the command line."""
    as_json = "--json" in sys.argv
    try:
        app()
    except WireError as error:
        output.fail(error.code, error.text, error.detail, as_json=as_json)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        output.fail("BadSetting", f"a setting is wrong: {problems}", "see `overt config show`", as_json=as_json)
    except StoreError as error:
        output.fail("StoreError", str(error), "see `overt doctor`", as_json=as_json)
    except PackError as error:
        output.fail("PackError", str(error), "install the pack again, or another one", as_json=as_json)
    except (OSError, CommandError) as error:
        output.fail(type(error).__name__, str(error), as_json=as_json)
    sys.exit(1)
