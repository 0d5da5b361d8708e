"""Line charts as SVG files."""
import html
import math

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 40, 50
COLORS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#7f7f7f"]


class Axis:
    """A logarithmic scale that holds all values, from one position to another."""

    def __init__(self, values, begin, end):
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.begin, self.end = begin, end

    def at(self, value):
        return self.begin + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self):
        return [10.0 ** exponent for exponent in range(self.low, self.high + 1)]


def label(value):
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


def text(x, y, words, anchor="middle", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{html.escape(words)}</text>'


def line(x1, y1, x2, y2, color):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"/>'


def chart(title, x_label, y_label, curves):
    """`curves`: name → [(x, y)], all positive. Both axes are logarithmic. None if there is nothing to draw."""
    curves = {name: [(x, y) for x, y in points if x and y] for name, points in curves.items()}
    curves = {name: points for name, points in curves.items() if points}
    if not curves:
        return None
    points = [point for curve in curves.values() for point in curve]
    x_axis = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    y_axis = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             text((LEFT + WIDTH - RIGHT) / 2, TOP - 16, title, extra='font-size="15"'),
             text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label),
             text(18, HEIGHT / 2, y_label, extra=f'transform="rotate(-90 18 {HEIGHT / 2})"')]
    for tick in x_axis.ticks():
        parts += [line(x_axis.at(tick), TOP, x_axis.at(tick), HEIGHT - BOTTOM, "#ddd"),
                  text(x_axis.at(tick), HEIGHT - BOTTOM + 16, label(tick))]
    for tick in y_axis.ticks():
        parts += [line(LEFT, y_axis.at(tick), WIDTH - RIGHT, y_axis.at(tick), "#ddd"),
                  text(LEFT - 6, y_axis.at(tick) + 4, label(tick), "end")]
    for number, (name, curve) in enumerate(curves.items()):
        color = COLORS[number % len(COLORS)]
        dash = 'stroke-dasharray="6 4"' if number >= len(COLORS) else ""
        path = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in curve)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2" {dash}/>')
        parts += [f'<circle cx="{x_axis.at(x):.1f}" cy="{y_axis.at(y):.1f}" r="3" fill="{color}"/>' for x, y in curve]
        y = TOP + 12 + 18 * number
        parts += [line(WIDTH - RIGHT + 14, y - 4, WIDTH - RIGHT + 34, y - 4, color),
                  text(WIDTH - RIGHT + 40, y, name, "start")]
    return "\n".join(parts + ["</svg>\n"])
