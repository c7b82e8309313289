# Figures, and the page that holds everything.

FIGURE_TABLES = {
    "mmlu_by_unknown": "benchmarks",
    "reliability_by_epoch": "reliability",
    "truthfulqa_by_unknown": "benchmarks",
    "models_side_by_side": "benchmarks",
    "reliability_by_unknown": "reliability",
    "generalization_by_unknown": "generalization",
    "shifts_by_unknown": "shifts",
    "frontier": "frontier",
    "benchmarks_by_unknown": "benchmarks",
}
FIGURES = [
    f"<results>/figures/{figure}.svg"
    for figure, table in FIGURE_TABLES.items()
    if table != "generalization" or study.generalization
]


rule draw_figure:
    input:
        table=lambda w: f"<results>/tables/{FIGURE_TABLES[w.figure]}.parquet",
        runs="<results>/runs.parquet",
    output:
        report(
            "<results>/figures/{figure}.svg",
            category="Figures",
            caption="../workflow/report/caption.rst",
            labels=lambda w: contents.FIGURES[w.figure]._asdict(),
        ),
        "<results>/figures/{figure}.png",
        "<results>/figures/{figure}.pdf",
    log:
        "<logs>/draw_figure/{figure}.log",
    benchmark:
        "<benchmarks>/draw_figure/{figure}.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=lambda w: table_specs.figure_spec(study, w.figure),
        code=code_digest("draw_figure.py"),
    message:
        "draw {wildcards.figure}"
    script:
        "../workflow/scripts/draw_figure.py"


rule make_report:
    input:
        tables=TABLES,
        figures=FIGURES,
        facts="<results>/facts.parquet",
        runs="<results>/runs.parquet",
        extra_labels=expand("<results>/{model}/base/extra_labels.parquet", model=POOLED),
        models=expand("<results>/{model}/model/model.json", model=MODELS),
    output:
        headline="<results>/headline.txt",
        page=report(
            "<results>/report.html",
            category="Report",
            caption="../workflow/report/page.rst",
            labels={"title": "The study on one page"},
        ),
    log:
        "<logs>/make_report.log",
    benchmark:
        "<benchmarks>/make_report.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=specs.report_spec(study),
        code=code_digest("make_report.py"),
    message:
        "put the report together"
    script:
        "../workflow/scripts/make_report.py"
