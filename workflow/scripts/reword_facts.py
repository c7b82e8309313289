"""Write down what the taught facts of a model are asked beside the question they were taught in."""

from knowpack.job import job

with job(snakemake):
    from knowpack.files import locate_all
    from knowpack.rewordings import REWORDINGS, rewordings
    from knowpack.tables import read_table, write_table
    from knowpack.templates import load_templates

    files, spec = snakemake.input, snakemake.params.spec
    path = files.get("paraphrases")
    shots = read_table(files.shots)
    table = rewordings(
        read_table(files.facts),
        read_table(files.rows, ["fact_id", "role"]),
        read_table(path) if path else None,
        load_templates(locate_all(spec["templates"])),
        shots[shots.prompt < spec["prompts"]],
        wordings=spec["wordings"],
        trained=spec["trained"],
    )
    write_table(table, snakemake.output[0], REWORDINGS)
    print(table.groupby("kind").agg(questions=("question", "size"), facts=("fact_id", "nunique")))
