# Where a study starts: its models, its facts, its prompts, its runs.


rule materialise_model:
    output:
        "<results>/{model}/model/model.json",
    log:
        "<logs>/materialise_model/{model}.log",
    benchmark:
        "<benchmarks>/materialise_model/{model}.tsv"
    conda:
        environment("train")
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        spec=lambda w: specs.model_spec(study, w.model),
        code=code_digest("materialise_model.py"),
    message:
        "get model {wildcards.model}: {params.spec}"
    script:
        "../workflow/scripts/materialise_model.py"


rule build_facts:
    output:
        "<results>/facts.parquet",
    log:
        "<logs>/build_facts.log",
    benchmark:
        "<benchmarks>/build_facts.tsv"
    conda:
        environment("analysis")
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        spec=specs.facts_spec(study),
        code=code_digest("build_facts.py"),
        stack=pins("analysis"),
    message:
        "build the facts: {params.spec}"
    script:
        "../workflow/scripts/build_facts.py"


rule draw_shots:
    input:
        facts="<results>/facts.parquet",
    output:
        "<results>/shots.parquet",
    log:
        "<logs>/draw_shots.log",
    benchmark:
        "<benchmarks>/draw_shots.tsv"
    conda:
        environment("analysis")
    params:
        spec=specs.shots_spec(study),
        code=code_digest("draw_shots.py"),
    message:
        "draw {params.spec[shots]} examples for each of {params.spec[count]} prompts"
    script:
        "../workflow/scripts/draw_shots.py"


rule list_runs:
    output:
        "<results>/runs.parquet",
    log:
        "<logs>/list_runs.log",
    benchmark:
        "<benchmarks>/list_runs.tsv"
    conda:
        environment("analysis")
    params:
        spec=RUNS,
        code=code_digest("list_runs.py"),
    message:
        "list the runs"
    script:
        "../workflow/scripts/list_runs.py"
