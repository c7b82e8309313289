# Knowpack: how much new knowledge fits in a LoRA adapter, and what does the model lose?
#
#   snakemake --cores 8 --use-conda          the study of config/config.yaml
#   snakemake --cores 8 --configfile FILE    another study
#
#   snakemake --cores 8 adapter --config 'export={run: uk80-hk1-s42}'     its adapter to take home
#
# facts -> ask the base model -> label -> select rows -> train an adapter -> ask it -> score -> tables, figures, report

from snakemake.utils import min_version

min_version("9.27")

# A study is one file: what is given with --configfile stands alone, never on top of the default.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"


pathvars:
    results=f"results/{study.study}",
    logs=f"results/{study.study}/logs",
    benchmarks=f"results/{study.study}/benchmarks",


report: "workflow/report/workflow.rst"


include: "rules/facts.smk"
include: "rules/label.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/report.smk"
include: "rules/export.smk"


localrules:
    all,
    facts,
    report,
    adapter,


rule all:
    default_target: True
    input:
        TABLES,
        FIGURES,
        FACT_PAGES,
        "<results>/report.html",
    message:
        "study '{study.study}' is complete"


rule facts:
    input:
        "<results>/facts.parquet",
        FACT_PAGES,
    message:
        "the facts are described in {input[1]}"


rule report:
    input:
        FACT_PAGES,
        "<results>/report.html",
    message:
        "the report is <results>/report.html"


onstart:
    hold_study()


onsuccess:
    RUN.succeed()
    QUEUED.unlink(missing_ok=True)
    print_summary(study)
