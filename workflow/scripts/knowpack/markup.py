"""Printed tables as Markdown and LaTeX; every text in them, facts' included, is only text."""

import html
import re

import pandas as pd

_LATEX = str.maketrans(
    {character: "\\" + character for character in "&%$#_{}"}
    | {character: "{" + character + "}" for character in "[]*`'\"-"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "–": "--",
        "±": r"$\pm$",
    }
)
# What starts a span, an escape or a bare link in a Markdown table; < > & become HTML entities.
_MARKDOWN = re.compile(r"[\\`*_\[\]|~$]|:(?=//)|(?<=www)\.|@", re.IGNORECASE)


def escape_latex(text: str) -> str:
    """Return LaTeX that prints ``text`` on one line, whatever it holds."""
    return _one_line(text).translate(_LATEX)


def escape_markdown(text: str) -> str:
    """Return Markdown that prints ``text`` on one line, whatever it holds."""
    marked = _MARKDOWN.sub(lambda found: "\\" + found[0], _one_line(text))
    return html.escape(marked, quote=False)


def _one_line(text: str) -> str:
    printable = "".join(mark if mark.isprintable() else " " for mark in str(text))
    return " ".join(printable.split())


def to_markdown(frame: pd.DataFrame, caption: str) -> str:
    """Return a printed frame (texts only) as a Markdown table under its caption."""
    escaped = frame.map(escape_markdown).rename(columns=escape_markdown)
    table = escaped.to_markdown(index=False, tablefmt="pipe", disable_numparse=True)
    return f"{escape_markdown(caption)}\n\n{table}\n"


def to_latex(frame: pd.DataFrame, caption: str, label: str) -> str:
    """Return a printed frame (texts only) as a LaTeX table; it wants ``\\usepackage{booktabs}``."""
    escaped = frame.map(escape_latex).rename(columns=escape_latex)
    return escaped.to_latex(
        index=False, escape=False, caption=escape_latex(caption), label=label, position="htbp"
    )
