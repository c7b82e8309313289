# What a run knows: ask (needs the engine), then label and score (read the responses).


rule load_suite:
    output:
        "<results>/suites/{suite}.json",
    log:
        "<logs>/load_suite/{suite}.log",
    benchmark:
        "<benchmarks>/load_suite/{suite}.tsv"
    conda:
        environment("benchmark")
    resources:
        **needs("score"),
    params:
        spec=lambda w: suite_spec(w.suite),
        code=code_digest("load_suite.py"),
        stack=pins("benchmark"),
    message:
        "load the benchmarks of suite {wildcards.suite}"
    script:
        "../workflow/scripts/load_suite.py"


rule ask:
    input:
        unpack(ask_inputs),
        model="<results>/{model}/model/model.json",
    output:
        "<results>/{model}/{run}/responses/{suite}.parquet",
    log:
        "<logs>/ask/{model}/{run}/{suite}.log",
    benchmark:
        "<benchmarks>/ask/{model}/{run}/{suite}.tsv"
    conda:
        environment("engine")
    threads: THREADS
    resources:
        **needs("ask"),
    params:
        spec=ask_spec,
        memory=lambda w, threads: specs.memory_spec(study),  # not compared, as it has `threads`
        script=lambda w: ask_script(w.suite),
        code=lambda w: digest_of_code(ask_script(w.suite)),
        stack=pins("engine"),
    message:
        "ask {wildcards.model} {wildcards.run}: {wildcards.suite}"
    script:
        "../workflow/scripts/{params.script}"


rule label:
    input:
        facts="<results>/facts.parquet",
        responses="<results>/{model}/{run}/responses/facts.parquet",
    output:
        "<results>/{model}/{run}/labels.parquet",
    log:
        "<logs>/label/{model}/{run}.log",
    benchmark:
        "<benchmarks>/label/{model}/{run}.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=specs.label_spec(study),
        code=code_digest("label.py"),
    message:
        "label {wildcards.model} {wildcards.run}"
    script:
        "../workflow/scripts/label.py"


if study.extra_facts:

    use rule label as label_extra_facts with:
        input:
            facts="<results>/extra_asked.parquet",
            responses="<results>/{model}/base/responses/extra_facts.parquet",
        output:
            "<results>/{model}/base/extra_labels.parquet",
        log:
            "<logs>/label_extra_facts/{model}.log",
        benchmark:
            "<benchmarks>/label_extra_facts/{model}.tsv"
        message:
            "label the extra facts of {wildcards.model}"


rule label_epochs:
    input:
        facts="<results>/facts.parquet",
        responses="<results>/{model}/{run}/responses/dynamics.parquet",
    output:
        "<results>/{model}/{run}/dynamics.parquet",
    log:
        "<logs>/label_epochs/{model}/{run}.log",
    benchmark:
        "<benchmarks>/label_epochs/{model}/{run}.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=specs.label_spec(study),
        code=code_digest("label_epochs.py"),
    message:
        "label the epochs of {wildcards.model} {wildcards.run}"
    script:
        "../workflow/scripts/label_epochs.py"


if study.generalization:

    rule reword_facts:
        input:
            unpack(reword_inputs),
            facts="<results>/facts.parquet",
            shots="<results>/shots.parquet",
        output:
            "<results>/{model}/base/rewordings.parquet",
        log:
            "<logs>/reword_facts/{model}.log",
        benchmark:
            "<benchmarks>/reword_facts/{model}.tsv"
        conda:
            environment("analysis")
        resources:
            **needs("tables"),
        params:
            spec=lambda w: reword_specs.reword_spec(study, w.model, RUNS),
            code=code_digest("reword_facts.py"),
        message:
            "word otherwise what {wildcards.model} is taught"
        script:
            "../workflow/scripts/reword_facts.py"

    rule label_rewordings:
        input:
            unpack(reworded_inputs),
            facts="<results>/facts.parquet",
            as_taught="<results>/{model}/{run}/responses/facts.parquet",
            responses="<results>/{model}/{run}/responses/generalization.parquet",
        output:
            "<results>/{model}/{run}/generalization.parquet",
        log:
            "<logs>/label_rewordings/{model}/{run}.log",
        benchmark:
            "<benchmarks>/label_rewordings/{model}/{run}.tsv"
        conda:
            environment("analysis")
        resources:
            **needs("tables"),
        params:
            spec=specs.match_spec(study),
            code=code_digest("label_rewordings.py"),
        message:
            "label {wildcards.model} {wildcards.run}: other wordings"
        script:
            "../workflow/scripts/label_rewordings.py"


rule score_suite:
    input:
        responses="<results>/{model}/{run}/responses/{suite}.parquet",
    output:
        questions="<results>/{model}/{run}/questions/{suite}.parquet",
        scores="<results>/{model}/{run}/scores/{suite}.parquet",
    log:
        "<logs>/score_suite/{model}/{run}/{suite}.log",
    benchmark:
        "<benchmarks>/score_suite/{model}/{run}/{suite}.tsv"
    conda:
        environment("benchmark")
    resources:
        **needs("score"),
    params:
        spec=lambda w: suite_spec(w.suite),
        code=code_digest("score_suite.py"),
        stack=pins("benchmark"),
    message:
        "score {wildcards.model} {wildcards.run}: {wildcards.suite}"
    script:
        "../workflow/scripts/score_suite.py"
