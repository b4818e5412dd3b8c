"""Pictures of the demonstration's use cases: fields, a town, a forest as if seen from above. None is real."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 750)
#: Kind → colours of its plots (near infrared shown in red, as many maps of vegetation do) and of what runs between.
KINDS = {
    "hedges": (("#c9455a", "#b03348", "#d98a7d", "#e0b9a4", "#8fa3a8", "#a83a50"), "#6d1022"),
    "town": (("#b9b4ab", "#a7a29a", "#cfc9bd", "#8f9a86", "#7d8f74", "#c4a58e"), "#ece8df"),
    "forest": (("#1f4d33", "#275a3c", "#1a4430", "#2f6745", "#3a7350", "#24553a"), "#c8b78f"),
}
_PLOT = 75


def _plots(draw: random.Random) -> Iterator[list[tuple[float, float]]]:
    """A net of four-sided plots, each corner a little away from its place."""
    columns, rows = SIZE[0] // _PLOT + 2, SIZE[1] // _PLOT + 2
    corners = {
        (i, j): ((i - 0.5) * _PLOT + draw.uniform(-26, 26), (j - 0.5) * _PLOT + draw.uniform(-26, 26))
        for i in range(columns + 1)
        for j in range(rows + 1)
    }
    for i in range(columns):
        for j in range(rows):
            yield [corners[i, j], corners[i + 1, j], corners[i + 1, j + 1], corners[i, j + 1]]


def _way(draw: random.Random, start: float) -> list[tuple[float, float]]:
    """A river or a road from one side to the other."""
    points, height = [], start
    for x in range(-50, SIZE[0] + 100, 50):
        points.append((float(x), height))
        height += draw.uniform(-28, 34)
    return points


def picture(kind: str) -> bytes:
    """A picture as PNG, the same for the same kind at each call.

    :param kind: a key of :data:`KINDS`
    """
    colours, between = KINDS[kind]
    draw = random.Random(kind)  # noqa: S311  # a drawing, no secret
    image = Image.new("RGB", SIZE, between)
    pen = ImageDraw.Draw(image)
    for plot in _plots(draw):
        pen.polygon(plot, fill=draw.choice(colours), outline=between, width=5 if kind == "hedges" else 3)
    pen.line(_way(draw, SIZE[1] * 0.35), fill="#25324a" if kind != "town" else "#5f6368", width=22, joint="curve")
    if kind == "forest":  # what a fire left
        burnt = [(700 + draw.uniform(-60, 60) + dx, 470 + dy) for dx, dy in
                 ((-190, -60), (-60, -150), (120, -130), (240, -20), (150, 120), (-40, 160), (-180, 80))]  # fmt: skip
        pen.polygon(burnt, fill="#3b2a26", outline="#e2903a", width=8)
    if kind == "town":  # what was built since
        for x, y in ((300, 470), (420, 520), (810, 200), (880, 560)):
            pen.rectangle((x, y, x + 90, y + 60), outline="#d6231f", width=8)
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(out, "PNG")
    return out.getvalue()
