# What a run is taught, and its adapter.


rule pool_facts:
    input:
        facts="<results>/facts.parquet",
        responses="<results>/{model}/base/responses/facts.parquet",
    output:
        "<results>/{model}/base/pools.parquet",
    log:
        "<logs>/pool_facts/{model}.log",
    benchmark:
        "<benchmarks>/pool_facts/{model}.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec={},
        code=code_digest("pool_facts.py"),
    message:
        "sort the facts by what {wildcards.model} knows"
    script:
        "../workflow/scripts/pool_facts.py"


if study.extra_facts:

    use rule pool_facts as pool_extra_facts with:
        input:
            facts="<results>/extra_asked.parquet",
            responses="<results>/{model}/base/responses/extra_facts.parquet",
        output:
            "<results>/{model}/base/extra_pools.parquet",
        log:
            "<logs>/pool_extra_facts/{model}.log",
        benchmark:
            "<benchmarks>/pool_extra_facts/{model}.tsv"
        message:
            "sort the extra facts by what {wildcards.model} knows"


if study.paraphrases.model:

    rule paraphrase_facts:
        input:
            facts="<results>/facts.parquet",
            pools="<results>/{model}/base/pools.parquet",
            writer=f"<results>/{study.paraphrases.model.name}/model/model.json",
        output:
            "<results>/{model}/base/paraphrases.parquet",
        log:
            "<logs>/paraphrase_facts/{model}.log",
        benchmark:
            "<benchmarks>/paraphrase_facts/{model}.tsv"
        conda:
            environment("engine")
        threads: THREADS
        resources:
            **needs("ask"),
        params:
            spec=lambda w: specs.paraphrase_spec(study, w.model, RUNS),
            memory=lambda w, threads: specs.memory_spec(study),  # not compared, as it has `threads`
            code=code_digest("paraphrase_by_model.py"),
            stack=pins("engine"),
        message:
            f"let {study.paraphrases.model.name} paraphrase what {{wildcards.model}} is taught"
        script:
            "../workflow/scripts/paraphrase_by_model.py"

else:

    rule paraphrase_by_templates:
        input:
            facts="<results>/facts.parquet",
            pools="<results>/{model}/base/pools.parquet",
        output:
            "<results>/{model}/base/paraphrases.parquet",
        log:
            "<logs>/paraphrase_by_templates/{model}.log",
        benchmark:
            "<benchmarks>/paraphrase_by_templates/{model}.tsv"
        conda:
            environment("analysis")
        resources:
            **needs("tables"),
        params:
            spec=lambda w: specs.paraphrase_spec(study, w.model, RUNS),
            code=code_digest("paraphrase_by_templates.py"),
        message:
            "paraphrase what {wildcards.model} may be taught"
        script:
            "../workflow/scripts/paraphrase_by_templates.py"


rule select_rows:
    input:
        unpack(select_inputs),
        facts="<results>/facts.parquet",
        pools="<results>/{model}/base/pools.parquet",
    output:
        "<results>/{model}/{run}/rows.parquet",
    log:
        "<logs>/select_rows/{model}/{run}.log",
    benchmark:
        "<benchmarks>/select_rows/{model}/{run}.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=lambda w: specs.select_spec(study, w.model, w.run, row_of(w)),
        code=code_digest("select_rows.py"),
    message:
        "select the rows of {wildcards.model} {wildcards.run}"
    script:
        "../workflow/scripts/select_rows.py"


rule train_adapter:
    input:
        model="<results>/{model}/model/model.json",
        rows="<results>/{model}/{run}/rows.parquet",
    output:
        config="<results>/{model}/{run}/adapter/adapter_config.json",
        weights="<results>/{model}/{run}/adapter/adapter_model.safetensors",
        sums="<results>/{model}/{run}/adapter/SHA256SUMS",
        record="<results>/{model}/{run}/adapter/run.json",
    log:
        "<logs>/train_adapter/{model}/{run}.log",
    benchmark:
        "<benchmarks>/train_adapter/{model}/{run}.tsv"
    conda:
        environment("train")
    threads: THREADS
    resources:
        **needs("train"),
    params:
        spec=lambda w: specs.train_spec(study, w.model, w.run, row_of(w)),
        code=code_digest("train_adapter.py"),
        stack=pins("train"),
    message:
        "train {wildcards.model} {wildcards.run}"
    script:
        "../workflow/scripts/train_adapter.py"


if SCALED:

    ruleorder: scale_adapter > train_adapter

    rule scale_adapter:
        input:
            sums=of_unscaled("<results>/{model}/{run}/adapter/SHA256SUMS"),
            record=of_unscaled("<results>/{model}/{run}/adapter/run.json"),
        output:
            config="<results>/{model}/{run}/adapter/adapter_config.json",
            weights="<results>/{model}/{run}/adapter/adapter_model.safetensors",
            sums="<results>/{model}/{run}/adapter/SHA256SUMS",
            record="<results>/{model}/{run}/adapter/run.json",
        log:
            "<logs>/scale_adapter/{model}/{run}.log",
        benchmark:
            "<benchmarks>/scale_adapter/{model}/{run}.tsv"
        wildcard_constraints:
            run="|".join(sorted({re.escape(row["run"]) for row in SCALED})),
        conda:
            environment("analysis")
        resources:
            **needs("tables"),
        params:
            spec=scale_spec,
            code=code_digest("scale_adapter.py"),
        message:
            "scale the adapter of {wildcards.model} {wildcards.run}"
        script:
            "../workflow/scripts/scale_adapter.py"
