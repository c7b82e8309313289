# What a run knows: ask (needs the engine), then label (reads the responses).


rule ask:
    input:
        unpack(ask_inputs),
        model="<results>/{model}/model/model.json",
        facts="<results>/facts.parquet",
        shots="<results>/shots.parquet",
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
        gpu=GPUS,
        mem_mb=8000,  # measured: 5.2 GB with Gemma 3 270M and a 2 GiB cache
        runtime=240,
    params:
        spec=lambda w: specs.ask_spec(study, w.model, w.run, w.suite, RUNS),
        code=code_digest("ask.py"),
        stack=pins("engine"),
    message:
        "ask {wildcards.model} {wildcards.run}: {wildcards.suite}"
    script:
        "../workflow/scripts/ask.py"


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
    params:
        spec=specs.label_spec(study),
        code=code_digest("label.py"),
    message:
        "label {wildcards.model} {wildcards.run}"
    script:
        "../workflow/scripts/label.py"


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
    params:
        spec=specs.label_spec(study),
        code=code_digest("label_epochs.py"),
    message:
        "label the epochs of {wildcards.model} {wildcards.run}"
    script:
        "../workflow/scripts/label_epochs.py"
