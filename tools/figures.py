"""Draws the figures of the guides (SVG, French words): run it from the top folder after a change here.

Nothing in them is a satellite image: the ground is synthetic, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).resolve().parent.parent / "ckanext" / "dinamis_relais" / "public" / "dinamis-guides"

#: Name, colour, first and last wavelength in nm, band of the COG. Source: dinamis.data-terra.org and facts of its SDK.
BANDS = (
    ("B0 bleu", "#1f5fc4", 450, 520, "bande 3"),
    ("B1 vert", "#1d7a36", 530, 590, "bande 2"),
    ("B2 rouge", "#c0291f", 625, 695, "bande 1"),
    ("B3 proche infrarouge", "#7a1f4d", 760, 890, "bande 4"),
)
PAN = (450, 745)
#: Sizes of pixels in metres, drawn over the same 30 m of ground.
SIZES = ((10.0, "10 m (Sentinel-2)"), (6.0, "6 m (SPOT, couleur)"), (1.5, "1,5 m (SPOT)"), (0.5, "0,5 m (Pléiades)"))


def text(x: float, y: float, words: str, size: int = 14, anchor: str = "middle", more: str = "") -> str:
    """A line of text."""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, colour: str, more: str = "") -> str:
    """A filled rectangle."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{colour}" {more}/>'


def drawing(width: int, height: int, title: str, parts: list[str]) -> str:
    """A whole SVG on white; its words in a font that every browser has."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" fill="#212529" role="img"><title>{escape(title)}</title>'
    )
    return "\n".join([head, box(0, 0, width, height, "#ffffff"), *parts, "</svg>", ""])


def bands() -> str:
    """The bands on the scale of wavelengths."""

    def at(nanometres: float) -> float:
        return 40 + (nanometres - 430) * 1.45

    parts = []
    for name, colour, first, last, number in BANDS:
        width, middle = at(last) - at(first), (at(first) + at(last)) / 2
        parts.append(box(at(first), 70, width, 64, colour, 'rx="4"'))
        parts.append(text(middle, 98, name.split()[0], 17, more='fill="#ffffff" font-weight="bold"'))
        parts.append(text(middle, 120, number, 14, more='fill="#ffffff"'))
        parts.append(text(middle, 60, " ".join(name.split()[1:]), 14))
    parts.append(box(at(PAN[0]), 146, at(PAN[1]) - at(PAN[0]), 26, "#6b747d", 'rx="4"'))
    parts.append(text((at(PAN[0]) + at(PAN[1])) / 2, 164, "P panchromatique", 14, more='fill="#ffffff"'))
    for tick in range(450, 900, 50):
        parts.append(f'<path d="M{at(tick):g} 184v6" stroke="#212529"/>')
        parts.append(text(at(tick), 206, str(tick), 13))
    parts.append(text(at(670), 226, "longueur d'onde (nanomètres)", 13))
    parts.append(text(350, 26, "Le nom du capteur (B0 à B3) n'est pas le numéro dans le fichier COG", 16))
    return drawing(740, 240, "Les bandes de SPOT 6/7", parts)


def ground(x: float, y: float) -> tuple[int, int, int]:
    """Colour of the synthetic ground at a point, in metres: a house of 10 m on grass, a path of 3 m, two trees."""
    if 9 <= x < 19 and 8 <= y < 17:
        return (176, 84, 62) if x < 14 else (150, 66, 48)
    if 22 <= x < 25:
        return (205, 198, 182)
    for tree_x, tree_y, radius in ((5, 23, 3), (14, 25, 2)):
        if (x - tree_x) ** 2 + (y - tree_y) ** 2 < radius**2:
            return (34, 84, 44)
    return (128, 168, 92)


def _pixel(x: float, y: float, size: float) -> str:
    """Mean colour of the ground in a square, as a sensor would see it."""
    steps = 6
    found = [ground(x + (i + 0.5) * size / steps, y + (j + 0.5) * size / steps)
             for i in range(steps) for j in range(steps)]  # fmt: skip
    return "#" + "".join(f"{round(sum(c[k] for c in found) / len(found)):02x}" for k in range(3))


def _pixels(left: float, size: float) -> Iterator[str]:
    scale, count = 170 / 30, round(30 / size)
    for row in range(count):
        # Neighbours of one colour become one rectangle: the file stays small.
        column = 0
        while column < count:
            colour, run = _pixel(column * size, row * size, size), 1
            while column + run < count and _pixel((column + run) * size, row * size, size) == colour:
                run += 1
            yield box(left + column * size * scale, 50 + row * size * scale,
                      size * scale * run + 0.3, size * scale + 0.3, colour)  # fmt: skip
            column += run


def resolutions() -> str:
    """The same 30 m of ground in pixels of several sizes."""
    parts = [text(370, 26, "Le même terrain synthétique de 30 m de côté : une maison, un chemin, deux arbres", 15)]
    for number, (size, words) in enumerate(SIZES):
        left = 15 + number * 182
        parts += [*_pixels(left, size), text(left + 85, 242, words, 14)]
    return drawing(745, 256, "Taille du pixel", parts)


def ndvi() -> str:
    """The formula, and a scale with orders of magnitude."""
    parts = [
        text(370, 36, "NDVI = (proche infrarouge − rouge) / (proche infrarouge + rouge)", 18),
        text(
            370, 62, "capteur : (B3 − B2) / (B3 + B2)      fichier COG : (bande 4 − bande 1) / (bande 4 + bande 1)", 14
        ),
    ]
    colours = ("#5b84b1", "#8fa9bf", "#d8c9a3", "#d9d48a", "#a9c76b", "#6aa84f", "#2f7d32", "#145a1e")
    for number, colour in enumerate(colours):
        parts.append(box(50 + number * 80, 84, 80, 40, colour))
    for number in range(9):
        value = f"{-0.4 + number * 0.2:.1f}".replace(".", ",").replace("-0,0", "0,0").replace("-", "−")
        parts.append(text(50 + number * 80, 142, value, 13))
    for x, words in ((130, "eau"), (250, "sol nu, bâti"), (400, "végétation clairsemée"), (600, "végétation dense")):
        parts.append(text(x, 166, words, 14))
    parts.append(text(370, 190, "Échelle indicative, dessinée et non mesurée", 13))
    return drawing(740, 204, "NDVI", parts)


def composites() -> str:
    """Which band goes into which channel of the screen, and what colour four kinds of ground then take."""
    parts = []
    kinds = (
        ("Couleurs naturelles : bandes 1, 2, 3", ("#2f5230", "#7d9c55", "#b0543e", "#24506b")),
        ("Infrarouge couleur : bandes 4, 1, 2", ("#a01f2d", "#e0606b", "#6f9aa8", "#0c1a26")),
    )  # fmt: skip
    for number, (title, squares) in enumerate(kinds):
        left = 20 + number * 365
        parts.append(text(left + 168, 30, title, 16))
        for place, (words, colour) in enumerate(zip(("forêt", "pré", "toit", "eau"), squares, strict=True)):
            parts.append(box(left + place * 84, 46, 80, 70, colour))
            parts.append(text(left + place * 84 + 40, 136, words, 14))
    parts.append(text(372, 162, "Teintes synthétiques : elles montrent le principe, pas une image", 13))
    return drawing(745, 176, "Compositions colorées", parts)


def coverage() -> str:
    """A place that lies on two tiles of different dates."""
    outline = "M300 70 L430 55 L480 120 L400 180 L290 150 Z"
    return drawing(745, 240, "Une zone sur deux mailles", [
        box(120, 30, 250, 170, "#cfe0f1", 'stroke="#0b5cad" stroke-width="2"'),
        box(370, 30, 250, 170, "#f3e3c3", 'stroke="#8a5a00" stroke-width="2"'),
        text(185, 56, "maille prise en juin", 14), text(550, 56, "maille prise en août", 14),
        f'<path d="{outline}" fill="#ffffff" fill-opacity="0.55" stroke="#212529" stroke-width="2.5"/>',
        text(380, 124, "votre territoire", 14),
        text(370, 226, "Croquis : ni ces mailles ni ces dates ne sont vraies", 13),
    ])  # fmt: skip


def main() -> None:
    """Write every figure."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for draw in (bands, resolutions, ndvi, composites, coverage):
        (FOLDER / f"{draw.__name__}.svg").write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
