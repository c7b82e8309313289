"""Printed tables as Markdown, LaTeX and HTML; every text in them, facts' included, is only text."""

import html
import re
from collections.abc import Iterable

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
_STYLE = """
  body { font: 0.9rem/1.5 system-ui, sans-serif; margin: 1rem; color: #1a1a1a; background: #fff; }
  table { min-width: min(100%, 40rem); border-collapse: collapse; font-variant-numeric: tabular-nums; }
  caption { color: #555; text-align: left; padding-bottom: 0.5rem; }
  th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.8rem 0.2rem 0;
    border-bottom: 1px solid #d5d5d5; }
"""
# What starts a span, an escape or a bare link in a Markdown table; < > & become HTML entities.
_MARKDOWN = re.compile(r"[\\`*_\[\]|~$]|:(?=//)|(?<=www)\.|@", re.IGNORECASE)

# What makes a paragraph a heading, a list or a rule.
_BLOCK = re.compile(r"^(\d*)([-#+=.)])")


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
    said = _BLOCK.sub(r"\1\\\2", escape_markdown(caption))
    return f"{said}\n\n{table}\n"


def to_latex(frame: pd.DataFrame, caption: str, label: str) -> str:
    """Return a printed frame (texts only) as a LaTeX table; it wants ``\\usepackage{booktabs}``."""
    escaped = frame.map(escape_latex).rename(columns=escape_latex)
    return escaped.to_latex(
        index=False, escape=False, caption=escape_latex(caption), label=label, position="htbp"
    )


def to_html(frame: pd.DataFrame, caption: str, title: str) -> str:
    """Return a printed frame (texts only) as an HTML page of its own, its caption on one line."""

    def cells(kind: str, texts: Iterable[str]) -> str:
        escaped = (html.escape(_one_line(text), quote=False) for text in texts)
        return "<tr>" + "".join(f"<{kind}>{text}</{kind}>" for text in escaped) + "</tr>"

    rows = (cells("td", row) for row in frame.itertuples(index=False, name=None))
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">',
            f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n<table>",
            f"<caption>{html.escape(_one_line(caption), quote=False)}</caption>",
            f"<thead>{cells('th', frame.columns)}</thead>",
            "<tbody>",
            *rows,
            "</tbody>\n</table>\n</html>\n",
        ]
    )
