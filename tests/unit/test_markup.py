import re

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from knowpack.markup import escape_latex, escape_markdown, to_latex, to_markdown

SPECIAL = st.text(alphabet="\\`*_{}[]()#+-.!|<>&~^$%@:/'\"hwtp\n\r\t \u2028ab–±é1", max_size=20)


def test_markdown_by_hand():
    frame = pd.DataFrame({"A|B": ["<b>", "`a` | [b](http://c)"], "n": ["1", "–"]})
    lines = to_markdown(frame, "A *caption*").splitlines()
    assert lines[:2] == [r"A \*caption\*", ""]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
    assert cells[0] == [r"A\|B", "n"]
    assert cells[2:] == [["&lt;b&gt;", "1"], [r"\`a\` \| \[b\](http\://c)", "–"]]


@given(SPECIAL)
def test_markdown_prints_the_text_and_nothing_else(text):
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    frame = pd.DataFrame({"key": ["k"], "cell": [f"x{text}x"]})
    tokens = parser.parse(to_markdown(frame, "Caption"))
    cells = [token for token in tokens if token.type == "inline"][1:]
    assert len(cells) == 4
    children = cells[-1].children or []
    assert {child.type for child in children} <= {"text"}
    assert "".join(child.content for child in children) == " ".join(f"x{text}x".split())


def test_latex_by_hand():
    assert escape_latex(r"50% of $x_1 & \input{a}~^#") == (
        r"50\% of \$x\_1 \& \textbackslash{}input\{a\}\textasciitilde{}\textasciicircum{}\#"
    )
    assert escape_latex("0.5 (0.4–0.6) ± 1") == r"0.5 (0.4--0.6) $\pm$ 1"
    table = to_latex(pd.DataFrame({"a_b": ["[x]"]}), "100% sure", "tab:x")
    assert r"\caption{100\% sure}" in table
    assert r"\label{tab:x}" in table
    assert "a\\_b \\\\" in table
    assert "{[}x{]} \\\\" in table


@given(SPECIAL)
def test_latex_leaves_no_active_character(text):
    escaped = escape_latex(text)
    for known in (
        *(r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textless{}"),
        *(r"\textgreater{}", r"\textbar{}", r"$\pm$"),
        *("\\" + character for character in "&%$#_{}"),
        *("{" + character + "}" for character in "[]*`'\"-"),
    ):
        escaped = escaped.replace(known, "")
    assert not set(escaped) & set("\\{}$&#^_~%[]\n\r")


def test_everything_is_one_line():
    assert escape_markdown("a\n\n| b\x00\u2028c") == "a \\| b c"
    assert escape_latex("a\n\nb\x1b") == "a b"
