"""A dashboard as Grafana reads it, built with Grafana's own SDK."""

from __future__ import annotations

import re
from typing import Any

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as models

from deploy.dashboards.panels import Dashboard, Panel

_UNITS = {"short": "short", "reqps": "reqps", "percentunit": "percentunit", "s": "s", "h": "h", "bool": "bool"}
_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")


def grafana(of: Dashboard) -> str:
    """JSON for provisioning or import. The data source is asked for by a variable."""
    board = (
        builders.Dashboard(of.title)
        .uid(of.uid)
        .tags(["compat-guard"])
        .editable()
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(builders.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for row in of.rows:
        board = board.with_row(builders.Row(row.title))
        for panel in row.panels:
            board = board.with_panel(_stat(panel) if panel.kind == "stat" else _graph(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _stat(panel: Panel) -> Any:
    built = (
        stat.Panel()
        .color_mode(looks.BigValueColorMode.VALUE)
        .graph_mode(looks.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .height(4)
    )
    return _common(built, panel)


def _graph(panel: Panel) -> Any:
    stacking = looks.StackingMode.NORMAL if panel.stacked else looks.StackingMode.NONE
    built = (
        timeseries.Panel()
        .fill_opacity(25 if panel.stacked else 8)
        .line_width(1)
        .stacking(common.StackingConfig().mode(stacking))
        .legend(
            common.VizLegendOptions()
            .display_mode(looks.LegendDisplayMode.TABLE)
            .placement(looks.LegendPlacement.BOTTOM)
            .calcs(["lastNotNull", "max"])
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING))
        .height(8)
    )
    return _common(built, panel)


def _common(built: Any, panel: Panel) -> Any:
    built = (
        built.title(panel.title)
        .description(panel.description)
        .unit(_UNITS[panel.unit])
        .datasource(_SOURCE)
        .span(panel.width)
        .thresholds(_thresholds(panel))
    )
    for number, query in enumerate(panel.queries):
        target = (
            prometheus.Dataquery().expr(query.expr.replace("$window", "$__rate_interval")).ref_id(chr(65 + number))
        )
        built = built.with_target(target.legend_format(re.sub(r"\[(\w+)\]", r"{{\1}}", query.legend)))
    return built


def _thresholds(panel: Panel) -> Any:
    """Steps rise; where low is bad the colours start with red."""
    colours = ["green", "yellow", "red"]
    limits = [(panel.warn, "yellow"), (panel.bad, "red")]
    if panel.low_is_bad:
        limits, colours = [(panel.bad, "yellow"), (panel.warn, "green")], ["red"]
    steps = [models.Threshold(value=None, color=colours[0])]
    steps += [models.Threshold(value=float(value), color=colour) for value, colour in limits if value is not None]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
