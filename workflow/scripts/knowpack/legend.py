"""How recipes look in the figures that move: the same colour, shape and dashes in all of them."""

from collections.abc import Sequence
from typing import NamedTuple

from knowpack.plots import Panel

_COLOURS = 7  # that the page has
_CIRCLE, _SQUARE = "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z", "M-.9,-.9H.9V.9H-.9Z"
_SHAPES = [
    _CIRCLE,
    _SQUARE,
    "M0,-1.2L1,0L0,1.2L-1,0Z",
    "M0,-1.1L1.1,.9H-1.1Z",
    "M0,1.1L-1.1,-.9H1.1Z",
    "M-.4,-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
    "M0,-.5L.7,-1.2L1.2,-.7L.5,0L1.2,.7L.7,1.2L0,.5L-.7,1.2L-1.2,.7L-.5,0L-1.2,-.7L-.7,-1.2Z",
    "M0,-1.2L.35,-.4L1.2,-.4L.5,.15L.75,1L0,.5L-.75,1L-.5,.15L-1.2,-.4L-.35,-.4Z",
]
_DASHES = [[1, 0], [7, 3], [2, 2], [7, 2, 2, 2], [7, 2, 2, 2, 2, 2]]


class Mark(NamedTuple):
    """How a recipe is drawn: the entry of a legend."""

    recipe: str
    colour: str
    shape: str  # an SVG path around 0,0
    dashes: list[int]


def legend(panels: Sequence[Panel]) -> list[Mark]:
    """Return the recipes that stand in any of the panels, in their order."""
    names = panels[0].frame["condition"].cat.categories
    drawn = set().union(*(panel.frame["condition"] for panel in panels))
    return [
        Mark(
            str(name),
            f"var(--recipe-{place % _COLOURS})",
            _SHAPES[place % len(_SHAPES)],
            _DASHES[place % len(_DASHES)],
        )
        for place, name in enumerate(names)
        if name in drawn
    ]
