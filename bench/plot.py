# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plot of docs/performance.md: for each table of cases, requests a second (the raw loop is 1) and the client's
CPU time per request, as SVG written by hand."""

import math

import cases
from contenders import ALONE

COLOURS = {"ours": "#1b6ca8", "raw": "#b8b8b8", ALONE: "#8fc1e3", "libnbd": "#e08a1e", "fio": "#7a9e3f",
           "nbdcopy": "#8a5aa8"}
NAMES = {"ours": "WNBD's core", "raw": "raw loop", ALONE: "one connection", "libnbd": "libnbd", "fio": "fio",
         "nbdcopy": "nbdcopy"}

PANEL_WIDTH = 560
PANEL_HEIGHT = 190
LEFT = 64
TOP = 78
GAP_X = 84
GAP_Y = 116
FONT = 'font-family="DejaVu Sans, Verdana, sans-serif"'


class Drawing:
    def __init__(self, width, height):
        self.width, self.height = width, height
        self.parts = []

    def rectangle(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')

    def line(self, x1, y1, x2, y2, colour="#d0d0d0", dash=""):
        extra = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{extra}/>')

    def text(self, x, y, words, size=11, anchor="middle", turn=0, weight="normal"):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {FONT} '
                          f'font-weight="{weight}" fill="#222"{turned}>{words}</text>')

    def whole(self):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
                f'viewBox="0 0 {self.width} {self.height}">\n<!-- SPDX-License-Identifier: LGPL-2.1-or-later; '
                f'written by bench/plot.py -->\n')
        return head + '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(self.parts) + "\n</svg>\n"


class Scale:
    """A value axis of a panel, linear or logarithmic, with its bottom at `y`."""

    def __init__(self, y, low, high, logarithmic):
        self.y, self.low, self.high, self.logarithmic = y, low, high, logarithmic

    def at(self, value):
        if self.logarithmic:
            part = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.y - part * PANEL_HEIGHT


def panel(drawing, x, y, title, axis, scale, ticks, groups, goal=None):
    """`groups`: (lines of a label, contender -> value) in order. `goal`: a value that gets a dashed line."""
    drawing.text(x, y - 14, title, size=12, anchor="start", weight="bold")
    drawing.text(x - 46, y + PANEL_HEIGHT / 2, axis, turn=-90)
    for tick in ticks:
        drawing.line(x, scale.at(tick), x + PANEL_WIDTH, scale.at(tick))
        drawing.text(x - 6, scale.at(tick) + 4, f"{tick:g}", anchor="end")
    step = PANEL_WIDTH / len(groups)
    names = [name for name in COLOURS if any(name in values for _, values in groups)]
    bar = step * 0.8 / len(names)
    for number, (label, values) in enumerate(groups):
        left = x + number * step + step * 0.1
        for place, name in enumerate(names):
            if name in values:
                top = scale.at(values[name])
                drawing.rectangle(left + place * bar, top, bar - 1, scale.y - top, COLOURS[name])
        for line, words in enumerate(label):
            drawing.text(left + step * 0.4, scale.y + 14 + 13 * line, words, size=10)
    if goal is not None:
        drawing.line(x, scale.at(goal), x + PANEL_WIDTH, scale.at(goal), "#c03030", dash="6 4")
    drawing.line(x, scale.y, x + PANEL_WIDTH, scale.y, "#444")


def legend(drawing):
    x = LEFT
    for name, colour in COLOURS.items():
        drawing.rectangle(x, 34, 12, 12, colour)
        drawing.text(x + 18, 44, NAMES[name], size=12, anchor="start")
        x += 128
    drawing.line(x, 40, x + 24, 40, "#c03030", dash="6 4")
    drawing.text(x + 30, 44, "goal: 0.8 of the raw loop", size=12, anchor="start")


def rates(one):
    raw = one.medians["raw"]["requests_per_s"]
    return {name: metrics["requests_per_s"] / raw for name, metrics in one.medians.items()}


def cpu(one):
    return {name: metrics["cpu_us_per_request"] for name, metrics in one.medians.items()}


def label(case, table):
    shape, *rest = cases.label(case, table)
    operation, size, _, depth = shape.split()
    return [operation, f"{size[:-1]} {size[-1]}iB x {depth}", *rest]


def plot(path, results):
    by_case = {one.case: one for one in results}
    tables = [table for table in cases.TABLES if any(case in by_case for case in table.cases)]
    drawing = Drawing(LEFT + 2 * PANEL_WIDTH + GAP_X + 24, TOP + len(tables) * (PANEL_HEIGHT + GAP_Y) - 40)
    drawing.text(LEFT, 22, "NBD clients on one machine: requests per second and client CPU time", size=15,
                 anchor="start", weight="bold")
    legend(drawing)
    for number, table in enumerate(tables):
        y = TOP + 24 + number * (PANEL_HEIGHT + GAP_Y)
        panels(drawing, y, table, [by_case[case] for case in table.cases if case in by_case])
    path.write_text(drawing.whole())


def panels(drawing, y, table, found):
    labels = [label(one.case, table) for one in found]
    values = [rates(one) for one in found]
    top = max(1.2, math.ceil(max(max(value.values()) for value in values) * 5) / 5)
    panel(drawing, LEFT, y, f"Requests per second. {table.title}", "relative to the raw loop",
          Scale(y + PANEL_HEIGHT, 0, top, False), [tick / 5 for tick in range(round(top * 5) + 1)],
          list(zip(labels, values)), goal=0.8)
    panel(drawing, LEFT + PANEL_WIDTH + GAP_X, y, f"Client CPU time. {table.title}", "microseconds per request (log)",
          Scale(y + PANEL_HEIGHT, 0.1, 1000, True), [0.1, 1, 10, 100, 1000],
          list(zip(labels, (cpu(one) for one in found))))
