"""What every page is made of: printed tables, figures, and a template in which all text is escaped."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd


class Table(NamedTuple):
    """A printed frame (all texts); None where the study has nothing of it, as the caption says."""

    title: str
    paper: str  # its number in the paper, empty where it is not there
    caption: str
    frame: pd.DataFrame | None


class Picture(NamedTuple):
    """A figure as SVG, with its title and its caption."""

    title: str
    paper: str  # as of a table
    caption: str
    svg: bytes
    charts: Sequence[Any] = ()  # `knowpack.charts.Chart`: what moves in its place
    legend: Sequence[Any] = ()  # `knowpack.legend.Mark`
    base: bool = False  # whether the charts show the model itself

    @property
    def uri(self) -> str:
        """The SVG as a data URI."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode("ascii")


def fill(template: str | Path, **values: Any) -> str:
    """Return a page as HTML: the template, which finds others in its folder, with its values."""
    template = Path(template)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        finalize=_printable,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    return environment.get_template(template.name).render(**values)


def _printable(value: Any) -> Any:
    """A text without what would act on its reader's screen; joiners of letters stay."""
    if type(value) is not str:  # a template's own pieces are of a class of theirs
        return value
    kept = (mark if mark.isprintable() or mark in "\n\u200c\u200d" else " " for mark in value)
    return "".join(kept)
