# The adapter to take home, with a card that says what it was taught, how well and at what cost.

# Said here, as Snakemake adds a traceback to what goes wrong in a function of a rule.
if workflow.is_main_process and "adapter" in sys.argv and study.export.run:
    exported()


checkpoint recommend:
    input:
        **{
            name: f"<results>/tables/{name}.parquet"
            for name in ("capacity", "frontier", "reliability", "shifts")
        },
        runs="<results>/runs.parquet",
    output:
        "<results>/export/recommended.json",
    log:
        "<logs>/recommend.log",
    benchmark:
        "<benchmarks>/recommend.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec={"model": study.export.model},
        code=code_digest("recommend.py"),
    message:
        "choose the adapter to take home"
    script:
        "../workflow/scripts/recommend.py"


rule adapter:
    input:
        exported,
    message:
        "the adapter to take home, with its card: {input}"


rule export_adapter:
    input:
        unpack(export_inputs),
    output:
        config="<results>/export/{model}-{run}/adapter_config.json",
        weights="<results>/export/{model}-{run}/adapter_model.safetensors",
        facts="<results>/export/{model}-{run}/facts.parquet",
        card="<results>/export/{model}-{run}/README.md",
        sums="<results>/export/{model}-{run}/SHA256SUMS",
    log:
        "<logs>/export_adapter/{model}/{run}.log",
    benchmark:
        "<benchmarks>/export_adapter/{model}/{run}.tsv"
    conda:
        environment("train")
    resources:
        **needs("tables"),
    params:
        spec=lambda w: export_specs.export_spec(study, w.model, merged=False),
        code=code_digest("export_adapter.py"),
    message:
        "export the adapter {wildcards.run} of {wildcards.model}"
    script:
        "../workflow/scripts/export_adapter.py"


rule export_merged:
    input:
        unpack(export_inputs),
    output:
        folder=directory("<results>/export/{model}-{run}-merged"),
    log:
        "<logs>/export_merged/{model}/{run}.log",
    benchmark:
        "<benchmarks>/export_merged/{model}/{run}.tsv"
    conda:
        environment("train")
    resources:
        **needs("prepare") | {"mem_mb": needs("ask")["mem_mb"]},
    params:
        spec=lambda w: export_specs.export_spec(study, w.model, merged=True),
        code=code_digest("export_merged.py"),
    message:
        "export {wildcards.model} with the adapter {wildcards.run} merged into it"
    script:
        "../workflow/scripts/export_merged.py"
