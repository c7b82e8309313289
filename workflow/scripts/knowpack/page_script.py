"""The one script of a study's page, and what of it the page's policy allows to run."""

import base64
import hashlib
from functools import cache
from pathlib import Path

import vl_convert
from markupsafe import Markup

SCRIPT = Path(__file__).parents[2] / "report" / "report.js"


@cache
def page_script() -> Markup:
    """Return what draws the charts and searches the tables: Vega, and `workflow/report/report.js`.

    Nothing of a study's is in it.
    """
    whole = vl_convert.javascript_bundle(SCRIPT.read_text(encoding="utf-8"))
    return Markup(whole.replace("</script", "<\\/script").replace("<!--", "<\\!--"))


def allowed(script: str) -> str:
    """Return the source expression by which a Content-Security-Policy lets this script run only."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
