# SPDX-License-Identifier: Apache-2.0
"""`overt report`: what there is to tell of how it is used and how wrong it is. Here only the commands' names."""

from __future__ import annotations

import typer

from overt.cli import cards, fairness, forecast, metering, replay

app = typer.Typer(help="Reports: error rates by group, base rates, cards, usage.", no_args_is_help=True)
app.command("base-rate")(forecast.forecast)
app.command("fairness")(fairness.fairness)
app.command("replay")(replay.replay)
app.command("card")(cards.card)
app.command("usage")(metering.usage)
