"""Paint the sample picture: a small harbour at golden hour, 1920*1080.

    python examples/paint_harbour.py [harbour.png]

Everything is drawn from a fixed seed at twice the size and scaled down, so the picture is free of rights,
the same on every run, and layered the way a landscape is: sky, hills, town, water, boats, quay.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Picture = NDArray[Any]  # rows * columns * RGB, or a single plane; float32, 0..1
Colour = tuple[float, float, float]
Point = tuple[float, float]

SCALE = 2
WIDTH, HEIGHT = 1920 * SCALE, 1080 * SCALE
HORIZON = 0.57 * HEIGHT
SUN = (0.635 * WIDTH, HORIZON - 0.118 * HEIGHT)
chance = np.random.default_rng(1869)

XS, YS = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))


def rgb(code: str) -> Colour:
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255)


def smooth(low: float, high: float, value: Picture) -> Picture:
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def over(below: Picture, colour: Picture | Colour, cover: Picture) -> Picture:
    """Lay a colour over a picture where `cover` is 1."""
    share = cover[..., np.newaxis]
    return below * (1 - share) + np.asarray(colour, np.float32) * share


def clouds_noise(side: int, octaves: int, coarsest: int) -> Picture:
    """Fractal noise that tiles, side * side, about 0..1."""
    total = np.zeros((side, side), np.float32)
    weight, cells = 1.0, coarsest
    for _ in range(octaves):
        grid = np.pad(chance.random((cells, cells), dtype=np.float32), 2, mode="wrap")
        fine = cv2.resize(grid, None, fx=side / cells, fy=side / cells, interpolation=cv2.INTER_CUBIC)
        edge = round(2 * side / cells)
        total += weight * fine[edge : edge + side, edge : edge + side]
        weight, cells = weight * 0.52, cells * 2
    return (total - total.min()) / (total.max() - total.min())


def look_up(noise: Picture, u: Picture, v: Picture) -> Picture:
    """Sample tiling noise at u, v (1 is one tile)."""
    side = noise.shape[0]
    wrapped = cv2.copyMakeBorder(noise, 0, 1, 0, 1, cv2.BORDER_WRAP)
    return cv2.remap(wrapped, np.mod(u, 1) * side, np.mod(v, 1) * side, cv2.INTER_LINEAR)


def glow(reach: float, flatness: float = 1.0) -> Picture:
    """Light around the sun that halves every `reach` of the picture's height."""
    distance = np.hypot(XS - SUN[0], (YS - SUN[1]) * flatness) / HEIGHT
    return np.exp2(-distance / reach).astype(np.float32)


def sky() -> Picture:
    height = np.clip((HORIZON - YS[:, :1]) / HORIZON, 0, 1)[:, 0]
    stops = [0.0, 0.10, 0.28, 0.55, 1.0]
    colours = np.array([rgb(c) for c in ("ffd9a0", "f9bd8a", "d9a49b", "8a93b4", "44608f")])
    column = np.stack([np.interp(height, stops, colours[:, band]) for band in range(3)], axis=-1)
    picture = np.repeat(column[:, np.newaxis], WIDTH, axis=1).astype(np.float32)

    up = np.clip((HORIZON - YS) / HORIZON, 0, 1) + 0.11  # the further clouds lie nearer the horizon
    noise = clouds_noise(2048, 7, 4)
    u, v = (XS / WIDTH - 0.5) * 0.24 / up + 0.42, 0.190 / up + 0.10
    warp = look_up(noise, u * 0.7 + 0.3, v * 0.7) - 0.5
    dense = look_up(noise, u + 0.06 * warp, v + 0.04 * warp)
    sunward = look_up(noise, u + 0.06 * warp + 0.006, v + 0.04 * warp + 0.010)
    cover = smooth(0.43, 0.72, dense) * smooth(0.10, 0.24, up)
    lit = np.clip(0.45 + 5.0 * (dense - sunward) + 0.6 * glow(0.35), 0, 1)
    shade = over(np.full_like(picture, rgb("6d6a8c")), rgb("a88793"), 1 - smooth(0.15, 0.7, up))
    bright = over(np.full_like(picture, rgb("f4c4a4")), rgb("ffe0a8"), glow(0.22))
    picture = over(picture, over(shade, bright, lit), 0.88 * cover)

    veil = 1 - 0.55 * cover
    picture = over(picture, rgb("ffdb94"), 0.62 * glow(0.16, 1.25))
    picture = over(picture, rgb("fff0c4"), 0.85 * glow(0.038) * veil)
    disc = smooth(0.0150 * HEIGHT, 0.0132 * HEIGHT, np.hypot(XS - SUN[0], YS - SUN[1]))
    return over(picture, rgb("fffbe8"), disc)


def ridge(coarsest: int, rough: float) -> NDArray[np.float64]:
    """A hill line, one height per column, 0..1."""
    line, weight, cells = np.zeros(WIDTH), 1.0, coarsest
    for _ in range(8):
        knots = chance.random(cells + 3)
        at = np.linspace(0, cells, WIDTH)
        base = at.astype(int)
        part = at - base
        part = part * part * (3 - 2 * part)
        line += weight * (knots[base] * (1 - part) + knots[base + 1] * part)
        weight, cells = weight * rough, cells * 2
    return (line - line.min()) / (line.max() - line.min())


def hills(picture: Picture) -> Picture:
    layers = (
        (0.012, 0.110, 5, 0.42, "c99a92", "f3c79c", lambda x: np.clip(0.28 + 2.2 * np.abs(x - 0.64), 0, 1)),
        (0.028, 0.120, 4, 0.45, "93788a", "dcae93", lambda x: np.clip(np.abs(x - 0.62) * 1.7, 0.05, 0.85)),
        (0.004, 0.170, 3, 0.44, "5b5670", "b08c86", lambda x: np.clip(0.98 - x * 1.75, 0, 1)),
        (-0.02, 0.110, 3, 0.46, "635a72", "bb9384", lambda x: np.clip((x - 0.74) * 3.2, 0, 1)),
    )
    across = np.linspace(0, 1, WIDTH)
    for foot, height, coarsest, rough, top, mist, shape in layers:
        crest = HORIZON - HEIGHT * (foot + height * (0.35 + 0.65 * ridge(coarsest, rough)) * shape(across))
        crest = np.minimum(crest, HORIZON + 4).astype(np.float32)
        cover = smooth(-1.5, 1.5, YS - crest) * (YS < HORIZON)
        depth = np.clip((YS - crest) / np.maximum(1, HORIZON - crest), 0, 1)
        colour = over(np.full_like(picture, rgb(top)), rgb(mist), 0.85 * depth**1.5)
        colour = over(colour, rgb("ffd194"), 0.55 * glow(0.13))
        picture = over(picture, colour, cover)
    return picture


class Layer:
    """A transparent sheet to draw on with polygons, in `unit` pixels from a point of origin.

    What is drawn on it takes away what lay at that place on the sheet it `hides`.
    """

    def __init__(self, origin: Point, unit: float, hides: Layer | None = None) -> None:
        self.sheet = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.sheet)
        self.origin, self.unit, self.hides = origin, unit, hides

    def at(self, points: list[Point]) -> list[Point]:
        return [(self.origin[0] + x * self.unit, self.origin[1] - y * self.unit) for x, y in points]

    def shape(self, points: list[Point], colour: Colour) -> None:
        self.pen.polygon(self.at(points), fill=tuple(round(255 * c) for c in colour))
        if self.hides:
            self.hides.pen.polygon(self.at(points), fill=(0, 0, 0, 0))

    def line(self, points: list[Point], colour: Colour, width: float) -> None:
        tint = tuple(round(255 * c) for c in colour)
        self.pen.line(self.at(points), fill=tint, width=max(1, round(width * self.unit)), joint="curve")

    def planes(self) -> tuple[Picture, Picture]:
        """Colour and cover."""
        pixels = np.asarray(self.sheet, np.float32) / 255
        return pixels[..., :3], pixels[..., 3]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (a * (1 - share) + b * share for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def house(
    layer: Layer, lights: Layer, x: float, foot: float, width: float, height: float, haze: float
) -> None:
    walls = ("8d6f6a", "7a6470", "9a7a68", "6f5f70", "a08478", "84685f")
    wall = mix(rgb(walls[chance.integers(len(walls))]), rgb("c59a8c"), haze)
    roof = mix(rgb(("59404a", "6b463f", "4a4154")[chance.integers(3)]), rgb("b58d86"), haze)
    gable = width * chance.uniform(0.38, 0.62)
    top = foot + height
    layer.shape([(x, foot), (x + width, foot), (x + width, top), (x, top)], wall)
    side = x + width * 0.72  # the wall that faces the sun
    layer.shape(
        [(side, foot), (x + width, foot), (x + width, top), (side, top)], mix(wall, rgb("f2b98a"), 0.42)
    )
    if chance.random() < 0.5:
        roof_line = [(x - 0.06 * width, top), (x + width / 2, top + gable), (x + 1.06 * width, top)]
        layer.shape(roof_line, roof)
        layer.line(roof_line[1:], rgb("f6c795"), 0.0011)
    else:
        eaves = [(x - 0.05 * width, top), (x + 0.12 * width, top + 0.6 * gable)]
        eaves += [(x + 0.88 * width, top + 0.6 * gable), (x + 1.05 * width, top)]
        layer.shape(eaves, roof)
        layer.line(eaves[1:], rgb("f0bd90"), 0.0009)
    if chance.random() < 0.7:
        stack = x + width * chance.uniform(0.2, 0.7)
        layer.shape(
            [
                (stack, top),
                (stack + 0.003, top),
                (stack + 0.003, top + 0.9 * gable),
                (stack, top + 0.9 * gable),
            ],
            mix(roof, (0.1, 0.08, 0.1), 0.2),
        )
    rows, columns = max(1, round(height / 0.0125)), max(2, round(width / 0.0105))
    for row in range(rows):
        for column in range(columns):
            left = x + width * (column + 0.30) / columns
            base = foot + height * (row + 0.30) / rows
            pane = [
                (left, base),
                (left + 0.0040, base),
                (left + 0.0040, base + 0.0062),
                (left, base + 0.0062),
            ]
            if chance.random() < 0.34 * (1 - 0.7 * haze):
                lights.shape(pane, mix(rgb("ffb95e"), rgb("ffd98e"), float(chance.random())))
            else:
                layer.shape(pane, mix(wall, rgb("3a3448"), 0.55))


def town(picture: Picture) -> Picture:
    """Three rows of houses up the slope on the left, a church among them, and a lighthouse on the mole."""
    lights = Layer((0, HORIZON), HEIGHT)
    for foot, haze, end in ((0.058, 0.52, 0.55), (0.030, 0.28, 0.70), (0.006, 0.06, 0.86)):
        layer = Layer((0, HORIZON), HEIGHT, hides=lights)
        x = -0.02
        while x < end:
            width = chance.uniform(0.026, 0.050)
            rise = foot * (1 - 0.75 * x / end)
            house(layer, lights, x, rise, width, chance.uniform(0.028, 0.052) * (1 - 0.3 * x / end), haze)
            x += width * chance.uniform(0.93, 1.12)
        if 0.2 < haze < 0.4:
            church(layer)
        colour, cover = layer.planes()
        picture = over(picture, over(colour, rgb("ffce93"), 0.40 * glow(0.20)), cover)
        picture = over(
            picture,
            rgb("e2b39a"),
            0.22
            * smooth(0.07, 0.0, (HORIZON - YS) / HEIGHT)
            * smooth(0.62 * WIDTH, 0.35 * WIDTH, XS)
            * (YS < HORIZON),
        )
    shore = Layer((0, HORIZON), HEIGHT, hides=lights)
    shore.shape(
        [(-0.1, -0.012), (-0.1, 0.010), (0.86, 0.008), (0.93, 0.002), (0.945, -0.004), (0.95, -0.012)],
        rgb("57475a"),
    )
    shore.line([(-0.1, 0.0105), (0.86, 0.0085), (0.93, 0.0022)], rgb("f3bf92"), 0.0016)
    shore.shape([(1.42, -0.006), (1.44, 0.006), (1.9, 0.010), (1.9, -0.010)], rgb("5a4a5c"))
    shore.line([(1.437, 0.0062), (1.9, 0.0105)], rgb("f6c28f"), 0.0014)
    lighthouse(shore, lights)
    colour, cover = shore.planes()
    picture = over(picture, over(colour, rgb("ffce93"), 0.30 * glow(0.15)), cover)
    colour, cover = lights.planes()
    halo = cv2.GaussianBlur(cover, (0, 0), 0.0045 * HEIGHT) * 1.1 + cv2.GaussianBlur(
        cover, (0, 0), 0.016 * HEIGHT
    )
    picture = over(picture, rgb("ffb85c"), np.clip(0.55 * halo, 0, 0.75))
    return over(picture, colour, cover)


def church(layer: Layer) -> None:
    stone, sunny = rgb("8c7278"), rgb("d9a78c")
    layer.shape([(0.335, 0.02), (0.400, 0.02), (0.400, 0.078), (0.335, 0.078)], stone)
    layer.shape([(0.330, 0.078), (0.345, 0.108), (0.392, 0.108), (0.405, 0.078)], rgb("5b4350"))
    layer.shape([(0.318, 0.02), (0.341, 0.02), (0.341, 0.126), (0.318, 0.126)], stone)
    layer.shape([(0.333, 0.02), (0.341, 0.02), (0.341, 0.126), (0.333, 0.126)], sunny)
    layer.shape([(0.316, 0.126), (0.3295, 0.205), (0.343, 0.126)], rgb("4f4256"))
    layer.shape([(0.3295, 0.205), (0.335, 0.126), (0.343, 0.126)], rgb("b98676"))
    layer.line([(0.3295, 0.203), (0.3295, 0.217)], rgb("4f4256"), 0.0013)
    layer.line([(0.3262, 0.2115), (0.3328, 0.2115)], rgb("4f4256"), 0.0013)
    layer.shape(
        [(0.3245, 0.100), (0.3285, 0.100), (0.3285, 0.112), (0.3265, 0.115), (0.3245, 0.112)], rgb("403648")
    )


def lighthouse(layer: Layer, lights: Layer) -> None:
    x = 1.475
    layer.shape(
        [(x - 0.012, 0.004), (x + 0.012, 0.004), (x + 0.0075, 0.094), (x - 0.0075, 0.094)], rgb("b79a9c")
    )
    layer.shape(
        [(x - 0.012, 0.004), (x - 0.005, 0.004), (x - 0.003, 0.094), (x - 0.0075, 0.094)], rgb("f7cfa6")
    )
    for low, high in ((0.026, 0.044), (0.064, 0.080)):
        half_low, half_high = 0.012 - 0.05 * low, 0.012 - 0.05 * high
        layer.shape(
            [(x - half_low, low), (x + half_low, low), (x + half_high, high), (x - half_high, high)],
            rgb("93504f"),
        )
        layer.shape(
            [
                (x - half_low, low),
                (x - 0.4 * half_low, low),
                (x - 0.4 * half_high, high),
                (x - half_high, high),
            ],
            rgb("d9795c"),
        )
    layer.shape(
        [(x - 0.0105, 0.094), (x + 0.0105, 0.094), (x + 0.0105, 0.097), (x - 0.0105, 0.097)], rgb("4c3f50")
    )
    lights.shape(
        [(x - 0.0052, 0.097), (x + 0.0052, 0.097), (x + 0.0052, 0.109), (x - 0.0052, 0.109)], rgb("fff0b8")
    )
    layer.shape([(x - 0.0075, 0.109), (x, 0.120), (x + 0.0075, 0.109)], rgb("6b3f45"))


class Sea:
    """Ripples in perspective, and what they do to a mirror image."""

    def __init__(self) -> None:
        self.depth = np.clip((YS - HORIZON) / (HEIGHT - HORIZON), 0, 1).astype(np.float32)
        far = 1 / (self.depth + 0.035)
        noise = clouds_noise(1024, 5, 16)
        u, v = (XS / WIDTH - 0.5) * far * 0.22, far * 0.62
        self.swell = look_up(noise, u, v) - 0.5
        self.chop = look_up(noise, u * 2.7 + 0.37, v * 2.9 + 0.11) - 0.5
        self.wave = (0.65 * self.swell + 0.45 * self.chop).astype(np.float32)

    def mirror(self, picture: Picture, waterline: float, calm: float = 1.0) -> Picture:
        """The picture upside down below `waterline`, broken up by the ripples."""
        reach = (6 + 230 * self.depth) * SCALE / 2 * calm
        up = 2 * waterline - YS + self.wave * reach
        across = XS + self.chop * reach * 0.22
        return cv2.remap(
            picture,
            across,
            np.minimum(up, 2 * waterline - YS + reach),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )

    def paint(self, above: Picture) -> Picture:
        soft = cv2.GaussianBlur(above, (0, 0), sigmaX=2 * SCALE, sigmaY=5 * SCALE)
        water = self.mirror(soft, HORIZON)
        steep = np.clip(0.16 + 0.62 * self.depth - 0.75 * self.wave * (0.25 + self.depth), 0.05, 0.88)
        water = over(water, over(np.full_like(water, rgb("39506e")), rgb("22344f"), self.depth), steep)
        track = np.exp(-(((XS - SUN[0]) / (WIDTH * (0.016 + 0.085 * self.depth))) ** 2)).astype(np.float32)
        sparkle = smooth(0.02, 0.20, self.wave + 0.10 * track) * track
        water = over(water, rgb("ffcf8a"), 0.30 * track * (1 - 0.4 * self.depth))
        water = over(water, rgb("ffe9b4"), np.clip(0.92 * sparkle * (1 - 0.35 * self.depth), 0, 1))
        mist = np.exp2(-self.depth / 0.035)
        water = over(water, rgb("f0b98f"), 0.38 * mist)
        return over(above, water, (YS >= HORIZON).astype(np.float32))


def curve(points: list[Point], steps: int = 24) -> list[Point]:
    """A smooth line through a quadratic's three control points."""
    (x0, y0), (x1, y1), (x2, y2) = points
    ts = np.linspace(0, 1, steps)
    return [
        (
            (1 - t) ** 2 * x0 + 2 * t * (1 - t) * x1 + t * t * x2,
            (1 - t) ** 2 * y0 + 2 * t * (1 - t) * y1 + t * t * y2,
        )
        for t in ts
    ]


def sailing_boat(layer: Layer, lights: Layer, hull: Colour, stripe: Colour, flip: int) -> None:
    """A moored sloop, one unit long, its waterline through the origin; `flip` -1 mirrors it."""

    def put(points: list[Point]) -> list[Point]:
        return [(flip * x, y) for x, y in points]

    deck = curve([(-0.52, 0.150), (-0.10, 0.075), (0.48, 0.105)])
    keel = curve([(0.43, -0.012), (0.0, -0.030), (-0.40, -0.012)])
    layer.shape(put(deck + keel), hull)
    belt = [(x, y - 0.020) for x, y in deck]
    layer.shape(put(deck + belt[::-1]), stripe)
    layer.shape(put([*keel, (-0.415, 0.010), (0.435, 0.010)]), mix(hull, rgb("35202a"), 0.62))
    layer.line(put(deck), rgb("ffdcae"), 0.007)
    cabin = [(-0.16, 0.092), (-0.13, 0.140), (0.16, 0.143), (0.21, 0.090)]
    layer.shape(put(cabin), mix(hull, rgb("d8b7a4"), 0.45))
    layer.line(put(cabin[1:3]), rgb("ffe3b8"), 0.006)
    for port in (-0.09, 0.0, 0.09):
        lights.shape(
            put([(port, 0.106), (port + 0.045, 0.106), (port + 0.042, 0.127), (port + 0.004, 0.127)]),
            rgb("ffc873"),
        )
    wood, wire = rgb("4b3a42"), rgb("3d3340")
    layer.line(put([(-0.06, 0.10), (-0.06, 1.32)]), wood, 0.0150)
    layer.line(put([(-0.055, 0.12), (-0.055, 1.30)]), rgb("d99f78"), 0.0045)
    layer.line(put([(-0.06, 0.235), (0.40, 0.215)]), wood, 0.012)
    sail = curve([(-0.05, 0.268), (0.17, 0.262), (0.40, 0.226)]) + curve(
        [(0.40, 0.215), (0.17, 0.215), (-0.05, 0.232)]
    )
    layer.shape(put(sail), rgb("c9a492"))
    layer.line(put(sail[:24]), rgb("ffdfb4"), 0.006)
    for top, foot in (
        ((-0.06, 1.31), (-0.52, 0.152)),
        ((-0.06, 1.31), (0.475, 0.107)),
        ((-0.06, 0.98), (-0.40, 0.130)),
        ((-0.06, 1.10), (0.06, 0.085)),
        ((-0.06, 1.10), (-0.17, 0.098)),
    ):
        layer.line(put([top, foot]), wire, 0.0042)
    layer.line(put([(-0.13, 0.86), (0.01, 0.86)]), wood, 0.0065)
    layer.line(put([(-0.52, 0.150), (-0.52, 0.200), (-0.42, 0.178), (-0.42, 0.130)]), wire, 0.0045)
    layer.shape(put([*curve([(-0.06, 1.385), (0.02, 1.375), (0.075, 1.345)]), (-0.06, 1.335)]), rgb("8c3d42"))


def boats(picture: Picture, sea: Sea) -> Picture:
    """Moored boats from far to near, each with its own reflection."""
    moored = (
        (0.430, 0.020, 0.050, "a79aa6", "6d5a74", 1, 0.45),
        (0.795, 0.028, 0.062, "b39ca0", "7b4a52", -1, 0.38),
        (0.335, 0.055, 0.098, "c4b3b4", "3f5f83", 1, 0.20),
        (0.905, 0.100, 0.165, "b9a7ab", "8a3f3c", -1, 0.10),
        (0.235, 0.165, 0.265, "d2c3bf", "2f5479", 1, 0.0),
    )
    for x, below, size, hull, stripe, flip, haze in moored:
        waterline = HORIZON + below * HEIGHT
        layer, lights = (Layer((x * WIDTH, waterline), size * HEIGHT) for _ in range(2))
        shade = mix(rgb(hull), rgb("7d6a7c"), 0.35)
        sailing_boat(
            layer, lights, mix(shade, rgb("d8a68f"), haze), mix(rgb(stripe), rgb("c99a8c"), haze), flip
        )
        colour, cover = layer.planes()
        tint, bright = lights.planes()
        rise = (waterline - YS) / (size * HEIGHT)  # hulls turn towards the dark water
        toward_sun = np.clip(np.sign(SUN[0] - x * WIDTH) * (XS - x * WIDTH) / (size * HEIGHT), -0.5, 0.5)
        shading = 0.66 + 0.26 * smooth(-0.02, 0.13, rise) + 0.16 * toward_sun
        colour = colour * np.where(rise < 0.16, shading, 1).astype(np.float32)[..., np.newaxis]
        colour = over(over(colour, rgb("ffc88c"), 0.25 * glow(0.2)), tint, bright)
        colour = over(colour, rgb("d8a68f"), np.full_like(cover, 0.8 * haze))
        cover = np.maximum(cover, bright)
        image = sea.mirror(np.dstack([colour * cover[..., np.newaxis], cover]), waterline, 0.55)
        below_line = smooth(-1, 3, YS - waterline)
        fade = 0.80 * np.exp(-np.clip(YS - waterline, 0, None) / (1.1 * size * HEIGHT)) * below_line
        dark = image[..., :3] * np.asarray(rgb("a3a5bd"), np.float32)
        share = fade[..., np.newaxis]
        picture = picture * (1 - share * image[..., 3:]) + dark * share
        picture = over(picture, colour, cover)
        halo = cv2.GaussianBlur(bright, (0, 0), 0.035 * size * HEIGHT)
        picture = over(picture, rgb("ffb962"), np.clip(0.7 * halo, 0, 0.6))
    return picture


def jetty(picture: Picture) -> Picture:
    """The dark planks we stand on, lower right, with bollards and a lantern."""
    layer = Layer((WIDTH, HEIGHT), HEIGHT)
    far, near = (-0.335, 0.165), (-0.86, -0.02)
    for index in range(15):
        low, high = (index / 15) ** 1.25, ((index + 0.93) / 15) ** 1.25
        left = [(near[0] + (far[0] - near[0]) * s, near[1] + (far[1] - near[1]) * s) for s in (low, high)]
        right = [(0.05, -0.02 + 0.165 * low * 1.12), (0.05, -0.02 + 0.165 * high * 1.12)]
        wood = mix(rgb("3a2f3a"), rgb("57434a"), float(chance.random()))
        layer.shape([left[0], right[0], right[1], left[1]], mix(wood, rgb("a87a66"), 0.5 * high))
        layer.line([left[1], right[1]], mix(rgb("8e6a60"), rgb("f0b486"), high), 0.0013)
    layer.shape([near, far, (far[0], far[1] - 0.012), (near[0], near[1] - 0.045)], rgb("241d2a"))
    layer.line([near, far], rgb("e0a67e"), 0.0026)
    for x, foot, tall in ((-0.69, 0.028, 0.115), (-0.515, 0.094, 0.085), (-0.365, 0.149, 0.062)):
        half = 0.14 * tall
        layer.shape(
            [
                (x - half, foot - 0.4 * tall),
                (x + half, foot - 0.4 * tall),
                (x + half, foot + tall),
                (x - half, foot + tall),
            ],
            rgb("2c2430"),
        )
        layer.shape(
            [
                (x - half, foot - 0.4 * tall),
                (x - 0.45 * half, foot - 0.4 * tall),
                (x - 0.45 * half, foot + tall),
                (x - half, foot + tall),
            ],
            rgb("b98263"),
        )
        layer.shape(
            [
                (x - 1.25 * half, foot + tall),
                (x + 1.25 * half, foot + tall),
                (x + 1.1 * half, foot + 1.12 * tall),
                (x - 1.1 * half, foot + 1.12 * tall),
            ],
            rgb("49383f"),
        )
        layer.line(
            [(x - 1.2 * half, foot + 1.12 * tall), (x + 1.1 * half, foot + 1.12 * tall)],
            rgb("ffd19c"),
            0.0024,
        )
    rope = curve([(-0.69, 0.105), (-0.60, 0.060), (-0.515, 0.155)]) + curve(
        [(-0.515, 0.155), (-0.44, 0.125), (-0.365, 0.195)]
    )
    layer.line(rope, rgb("8d6d5c"), 0.0042)
    colour, cover = layer.planes()
    return over(picture, over(colour, rgb("ffc88c"), 0.12 * glow(0.4)), cover)


def gulls(picture: Picture) -> Picture:
    layer = Layer((0, HORIZON), HEIGHT)
    for x, y, span in (
        (0.92, 0.300, 0.020),
        (0.975, 0.322, 0.014),
        (0.865, 0.275, 0.011),
        (1.30, 0.245, 0.013),
    ):
        lift = chance.uniform(0.25, 0.45) * span
        wing = curve([(x - span, y + lift * 0.4), (x - 0.5 * span, y + 1.6 * lift), (x, y)])
        wing += curve([(x, y), (x + 0.5 * span, y + 1.7 * lift), (x + span, y + lift * 0.3)])
        layer.line(wing, rgb("56506a"), 0.10 * span)
    colour, cover = layer.planes()
    return over(picture, colour, cover)


def develop(picture: Picture) -> Image.Image:
    """Scale down, let the light bloom, darken the corners, deepen the shadows."""
    small = cv2.resize(picture, (WIDTH // SCALE, HEIGHT // SCALE), interpolation=cv2.INTER_AREA)
    bright = np.clip(small - 0.72, 0, None)
    bloom = cv2.GaussianBlur(bright, (0, 0), 9) * 0.5 + cv2.GaussianBlur(bright, (0, 0), 40) * 0.6
    small = 1 - (1 - np.clip(small, 0, 1)) * (1 - np.clip(bloom, 0, 1))
    rows, columns = small.shape[:2]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    small = small * (1 - 0.20 * np.clip((x * x + y * y) / 2, 0, 1) ** 1.4)[..., np.newaxis]
    small = small + 0.10 * (small - 0.5) * (1 - np.abs(2 * small - 1))
    return Image.fromarray(np.clip(np.rint(small * 255), 0, 255).astype(np.uint8))


def paint() -> Image.Image:
    above = town(hills(sky()))
    sea = Sea()
    return develop(gulls(jetty(boats(sea.paint(above), sea))))


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("harbour.png"))
    paint().save(target, optimize=True)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")
