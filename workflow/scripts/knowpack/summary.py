"""The last lines a person sees: what was made, where, and the headline numbers."""

from pathlib import Path

from knowpack.config import Study


def print_summary(study: Study) -> None:
    """Print where the study's results are, if its report has been made."""
    folder = Path("results") / study.study
    headline = folder / "headline.txt"
    if not headline.is_file():
        return
    answer, *more = headline.read_text(encoding="utf-8").splitlines()
    print(f"\nStudy '{study.study}': {answer}", *more, sep="\n")
    print(f"  facts    {folder}/facts.html")
    print(f"  tables   {folder}/tables/    parquet, Markdown, LaTeX")
    print(f"  figures  {folder}/figures/   png, svg, pdf")
    print(f"  report   {folder}/report.html")
