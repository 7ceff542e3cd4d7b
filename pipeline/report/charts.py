"""Charts: counts -> SVG by Vega-Lite, drawn when the report is built, in the colours of the page's theme.

Colours are CSS variables, so one drawing serves light and dark. Only names of bins and numbers get into a chart, never
a text from outside; every chart stands beside a table of its numbers, so its inside is hidden from screen readers.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import vl_convert
from markupsafe import Markup

from pipeline.report.measures import Measure
from pipeline.report.survey import OUTCOMES

WIDTH, HEIGHT = 330, 150  # of the plot inside its axes; the page lets it grow by a third at most
ROLES = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')  # of marks, without a name that would tell anybody anything
CURVE_WIDTHS = {"narrow": WIDTH, "wide": 660}  # the page shows the one that fits
CURVE_HEIGHT = 210
WHOLE = "datum.value < 1 ? '' : format(datum.value, '~s')"  # a label is not seen half a time
VEGA_LITE = "v5.20"
COLOURS = {outcome: f"var(--{outcome})" for outcome in OUTCOMES}
QUIET = {
    "aria": False,
    "background": None,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "titleFontWeight": "normal",
        "titleFontSize": 11,
        "labelFontSize": 11,
        "gridColor": "var(--line)",
        "domainColor": "var(--line-strong)",
        "tickColor": "var(--line-strong)",
        "labelAngle": 0,
        "titlePadding": 8,
    },
    "axisY": {"domain": False, "ticks": False, "tickCount": 4, "labelPadding": 6},
    "axisX": {"grid": False, "tickSize": 3},
}


def draw_histogram(measure: Measure, bins: Mapping[tuple[int, str], int]) -> Markup:
    """Draw how many samples are in each bin of a measure, stacked by what became of them."""
    values = [
        {"bin": measure.names[place], "outcome": outcome, "num": num, "order": OUTCOMES.index(outcome)}
        for (place, outcome), num in sorted(bins.items())
    ]
    return _draw(
        {
            "data": {"values": values},
            "mark": {"type": "bar"},
            "encoding": {
                "x": {
                    "field": "bin",
                    "type": "ordinal",
                    "scale": {"domain": list(measure.names), "paddingInner": 0.14, "paddingOuter": 0.07},
                    "title": measure.axis,
                },
                "y": {
                    "field": "num",
                    "type": "quantitative",
                    "title": None,
                    "axis": {"format": "~s"},
                },
                "order": {"field": "order"},
                "color": {
                    "field": "outcome",
                    "scale": {"domain": list(OUTCOMES), "range": [COLOURS[each] for each in OUTCOMES]},
                    "legend": None,
                },
            },
        }
    )


def draw_label_curve(curve: Sequence[tuple[int, int, int]], threshold: int, *, width: int) -> Markup:
    """Draw how often labels are seen, the most frequent first, with the line that `min_label_count` draws.

    curve: (count, first rank, last rank) of labels that are seen equally often. width: of the plot, in pixels.
    """
    points = [{"rank": rank, "num": num} for num, first, last in curve for rank in {first - 1, last}]
    line = {"threshold": threshold, "words": f"threshold {threshold:,}"}
    scale = {"type": "log", "domainMin": 0.9, "nice": False}
    y = {"type": "quantitative", "scale": scale, "title": None, "axis": {"labelExpr": WHOLE, "grid": False}}
    return _draw(
        {
            "width": width,
            "height": CURVE_HEIGHT,
            "layer": [
                {
                    "data": {"values": sorted(points, key=lambda point: (point["rank"], -point["num"]))},
                    "mark": {
                        "type": "area",
                        "interpolate": "step-before",
                        "color": "var(--both)",
                        "opacity": 0.28,
                        "line": {"color": "var(--both)", "strokeWidth": 1.5, "opacity": 1},
                    },
                    "encoding": {
                        "x": {
                            "field": "rank",
                            "type": "quantitative",
                            "title": "labels, the most frequent first",
                            "scale": {"nice": False},
                            "axis": {"format": ",d", "tickCount": 6},
                        },
                        "y": {**y, "field": "num"},
                        "y2": {"datum": 0.9},
                    },
                },
                {
                    "data": {"values": [line]},
                    "mark": {"type": "rule", "color": "var(--quarantined)", "strokeDash": [5, 4], "strokeWidth": 1.5},
                    "encoding": {"y": {**y, "field": "threshold"}},
                },
                {
                    "data": {"values": [line]},
                    "mark": {
                        "type": "text",
                        "align": "right",
                        "dy": -7,
                        "fontSize": 12,
                        "fontWeight": 600,
                        "color": "var(--quarantined)",
                    },
                    "encoding": {
                        "y": {**y, "field": "threshold"},
                        "x": {"value": width},
                        "text": {"field": "words"},
                    },
                },
            ],
        }
    )


def _draw(spec: dict[str, Any]) -> Markup:
    whole = {"width": WIDTH, "height": HEIGHT, **spec, "config": QUIET}
    svg: str = vl_convert.vegalite_to_svg(whole, vl_version=VEGA_LITE)
    assert "<script" not in svg
    svg = ROLES.sub("", svg).replace("<svg ", '<svg aria-hidden="true" ', 1)
    return Markup(svg)  # drawn from bins and numbers alone
