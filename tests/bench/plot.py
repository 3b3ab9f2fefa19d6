#!/usr/bin/python3
"""
The cost curves as a picture: plot.py FILE... > docs/performance.svg

FILE is what scale.py and peers.py --curves wrote with --json.  One panel each
for connections, size and queue; both axes are logarithmic; several values for
one point give their median.
"""

import json
import math
import statistics
import sys

PANELS = (("connections", "connections"), ("size", "octets a message"),
          ("queued", "messages waiting"))
COLOURS = {"postern": "#0050a0", "postfix-sasldb": "#c04000",
           "postfix-dovecot": "#d08030", "exim-queue": "#408040"}
WIDTH, HEIGHT, LEFT, TOP, GAP = 240, 180, 54, 30, 66


def read(paths):
    """{axis: {server: {x: [CPU ms]}}}"""
    found = {}
    for path in paths:
        with open(path) as f:
            for row in map(json.loads, f):
                if row.get("section") in dict(PANELS):
                    found.setdefault(row["section"], {}).setdefault(
                        row["server"], {}).setdefault(
                        row["name"], []).append(row["value"])
    return found


def text(x, y, words, anchor="middle", colour="#333"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" '
            f'fill="{colour}">{words}</text>')


def short(n):
    units = (("Mi", 1 << 20), ("Ki", 1 << 10)) if n % 1024 == 0 and n else \
        (("M", 1e6), ("k", 1e3))
    for unit, size in units:
        if n >= size:
            return f"{n / size:g}{unit}"
    return f"{n:g}"


def panel(left, title, by):
    """One diagram; x 0 stands one place before the least x there is."""
    xs = sorted({x for points in by.values() for x in points})
    ys = [statistics.median(v) for points in by.values()
          for v in points.values()]
    low, high = math.floor(math.log10(min(ys))), math.ceil(
        math.log10(max(ys)))
    high = max(high, low + 1)
    least = min(x for x in xs if x > 0)
    first = math.log10(least) - (1 if 0 in xs else 0)
    last = max(math.log10(xs[-1]), first + 1)

    def at(x, y):
        lx = math.log10(x) if x > 0 else first
        return (left + (lx - first) / (last - first) * WIDTH,
                TOP + HEIGHT - (math.log10(y) - low) / (high - low) * HEIGHT)

    out = [f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" '
           'fill="none" stroke="#999"/>',
           text(left + WIDTH / 2, TOP + HEIGHT + 34, title)]
    for n in range(low, high + 1):
        _, y = at(least, 10 ** n)
        out.append(f'<path d="M{left} {y:.0f}h{WIDTH}" stroke="#ddd"/>')
        out.append(text(left - 5, y + 4, f"{10.0 ** n:g}", "end"))
    for x in xs:
        out.append(text(at(x, 10 ** low)[0], TOP + HEIGHT + 16, short(x)))
    for server, points in by.items():
        line = " ".join("{:.1f},{:.1f}".format(*at(x, statistics.median(v)))
                        for x, v in sorted(points.items()))
        out.append(f'<polyline points="{line}" fill="none" stroke-width="2" '
                   f'stroke="{COLOURS.get(server, "#777")}"/>')
    return out


def main(paths):
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    found = read(paths)
    panels = [(key, title) for key, title in PANELS if key in found]
    width = LEFT + len(panels) * (WIDTH + GAP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
           f'height="{TOP + HEIGHT + 64}" font-family="sans-serif" '
           'font-size="11">',
           f'<rect width="{width}" height="{TOP + HEIGHT + 64}" '
           'fill="#fff"/>',
           text(LEFT, 16, "CPU ms a message, all processes of the server",
                "start")]
    for n, (key, title) in enumerate(panels):
        out += panel(LEFT + n * (WIDTH + GAP), title, found[key])
    servers = sorted({s for by in found.values() for s in by})
    for n, server in enumerate(servers):
        out.append(text(LEFT + 130 * n, TOP + HEIGHT + 56, server, "start",
                        COLOURS.get(server, "#777")))
    print("\n".join(out + ["</svg>"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
