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
        **needs("prepare"),
    params:
        spec=lambda w: specs.model_spec(study, w.model),
        code=code_digest("materialise_model.py"),
    message:
        "get model {wildcards.model}: {params.spec}"
    script:
        "../workflow/scripts/materialise_model.py"


rule fetch_dump:
    output:
        "<results>/dumps/{sha256}",
    log:
        "<logs>/fetch_dump/{sha256}.log",
    benchmark:
        "<benchmarks>/fetch_dump/{sha256}.tsv"
    retries: 2
    conda:
        environment("analysis")
    resources:
        # Always the first attempt: the network may answer where it did not before.
        **needs("prepare") | {"attempt": 1},
    params:
        spec=lambda w: {"url": DUMPS[w.sha256]},
        code=code_digest("fetch_dump.py"),
    message:
        "fetch {params.spec[url]}"
    script:
        "../workflow/scripts/fetch_dump.py"


rule build_facts:
    input:
        unpack(lambda w: dump_inputs(study.facts)),
    output:
        "<results>/facts.parquet",
    log:
        "<logs>/build_facts.log",
    benchmark:
        "<benchmarks>/build_facts.tsv"
    conda:
        environment("analysis")
    threads: THREADS
    resources:
        **needs("prepare"),
    params:
        spec=specs.facts_spec(study.facts),
        code=facts_code(study.facts),
        stack=pins("analysis"),
    message:
        "build the facts: {params.spec}"
    script:
        "../workflow/scripts/build_facts.py"


rule describe_facts:
    input:
        "<results>/facts.parquet",
    output:
        facts_page("facts"),
    log:
        "<logs>/describe_facts.log",
    benchmark:
        "<benchmarks>/describe_facts.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=specs.facts_page_spec(study.facts, f"Facts of study {study.study}"),
        code=code_digest("describe_facts.py"),
    message:
        "describe the facts"
    script:
        "../workflow/scripts/describe_facts.py"


if study.extra_facts:

    use rule build_facts as build_extra_facts with:
        input:
            unpack(lambda w: dump_inputs(study.extra_facts)),
            facts="<results>/facts.parquet",
        output:
            "<results>/extra_facts.parquet",
        log:
            "<logs>/build_extra_facts.log",
        benchmark:
            "<benchmarks>/build_extra_facts.tsv"
        params:
            spec=specs.facts_spec(study.extra_facts),
            code=facts_code(study.extra_facts),
            stack=pins("analysis"),
        message:
            "build the extra facts: {params.spec}"

    rule leave_out_shots:
        input:
            facts="<results>/extra_facts.parquet",
            shots="<results>/shots.parquet",
        output:
            "<results>/extra_asked.parquet",
        log:
            "<logs>/leave_out_shots.log",
        benchmark:
            "<benchmarks>/leave_out_shots.tsv"
        conda:
            environment("analysis")
        resources:
            **needs("tables"),
        params:
            spec={},
            code=code_digest("leave_out_shots.py"),
        message:
            "leave the few-shot examples out of the extra facts"
        script:
            "../workflow/scripts/leave_out_shots.py"

    use rule describe_facts as describe_extra_facts with:
        input:
            "<results>/extra_facts.parquet",
        output:
            facts_page("extra_facts"),
        log:
            "<logs>/describe_extra_facts.log",
        benchmark:
            "<benchmarks>/describe_extra_facts.tsv"
        params:
            spec=specs.facts_page_spec(
                study.extra_facts, f"Extra facts of study {study.study}"
            ),
            code=code_digest("describe_facts.py"),
        message:
            "describe the extra facts"


rule draw_shots:
    input:
        unpack(shots_inputs),
        facts="<results>/facts.parquet",
    output:
        "<results>/shots.parquet",
    log:
        "<logs>/draw_shots.log",
    benchmark:
        "<benchmarks>/draw_shots.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
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
    resources:
        **needs("tables"),
    params:
        spec=RUNS,
        code=code_digest("list_runs.py"),
    message:
        "list the runs"
    script:
        "../workflow/scripts/list_runs.py"
