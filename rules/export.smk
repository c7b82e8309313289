# The adapter to take home, with a card that says what it was taught, how well and at what cost.


def export_inputs(wildcards):
    """What an exported adapter and its card are made from."""
    folder = f"<results>/{wildcards.model}/{wildcards.run}"
    tables = ["reliability", "shifts", "benchmarks"] + ["generalization"] * bool(
        REWORDED
    )
    return {
        "facts": "<results>/facts.parquet",
        "shots": "<results>/shots.parquet",
        "model": f"<results>/{wildcards.model}/model/model.json",
        "adapter": f"{folder}/adapter/SHA256SUMS",
        "record": f"{folder}/adapter/run.json",
        "rows": f"{folder}/rows.parquet",
        "labels": f"{folder}/labels.parquet",
        "tables": [f"<results>/tables/{name}.parquet" for name in tables],
    }


def exported(wildcards):
    """What the target `adapter` makes; which run's it is, the configuration says."""
    try:
        model, run = export_specs.exported(study, RUNS)
    except KnowpackError as error:
        raise WorkflowError(str(error)) from None
    name = f"{model}-{run}-merged" if study.export.merged else f"{model}-{run}"
    folder = f"<results>/export/{name}"
    return folder if study.export.merged else f"{folder}/SHA256SUMS"


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
