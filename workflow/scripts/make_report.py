"""Put tables and figures on one page, and the answer with the headline numbers in a text."""

from pathlib import Path

from knowpack.job import job

with job(snakemake):
    from knowpack import study_page
    from knowpack.tables import write_text

    files, spec = snakemake.input, snakemake.params.spec
    pictures = {Path(path).stem: Path(path).read_bytes() for path in files.figures}
    page, headline = study_page.compose(Path(files.facts).parent, pictures, spec)
    write_text(headline + "\n", snakemake.output.headline)
    write_text(page, snakemake.output.page)
