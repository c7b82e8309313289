# What every run learned and lost: one table a question, each as parquet, Markdown and LaTeX.

RUN_NAMES = [[row["model"], row["run"]] for row in RUNS]
EPOCH_NAMES = [[row["model"], row["run"]] for row in EPOCHS]
BASE_NAMES = [[model, "base"] for model in MODELS]
TABLES = multiext(
    "<results>/tables/",
    "categories.parquet",
    "reliability.parquet",
    "shifts.parquet",
    "answers.parquet",
    "costs.parquet",
)


rule table_categories:
    input:
        labels=expand("<results>/{model}/base/labels.parquet", model=MODELS),
    output:
        multiext("<results>/tables/categories", ".parquet", ".md", ".tex"),
    log:
        "<logs>/table_categories.log",
    benchmark:
        "<benchmarks>/table_categories.tsv"
    conda:
        environment("analysis")
    params:
        spec={"models": MODELS},
        code=code_digest("table_categories.py"),
    message:
        "table of categories"
    script:
        "../workflow/scripts/table_categories.py"


rule table_reliability:
    input:
        runs="<results>/runs.parquet",
        rows=of_runs("<results>/{model}/{run}/rows.parquet"),
        labels=of_runs("<results>/{model}/{run}/labels.parquet"),
        dynamics=of_runs("<results>/{model}/{run}/dynamics.parquet", EPOCHS),
    output:
        multiext("<results>/tables/reliability", ".parquet", ".md", ".tex"),
    log:
        "<logs>/table_reliability.log",
    benchmark:
        "<benchmarks>/table_reliability.tsv"
    conda:
        environment("analysis")
    params:
        spec={"dynamics": EPOCH_NAMES},
        code=code_digest("table_reliability.py"),
    message:
        "table of reliability"
    script:
        "../workflow/scripts/table_reliability.py"


rule table_shifts:
    input:
        runs="<results>/runs.parquet",
        base=of_runs("<results>/{model}/base/labels.parquet"),
        labels=of_runs("<results>/{model}/{run}/labels.parquet"),
        rows=of_runs("<results>/{model}/{run}/rows.parquet"),
    output:
        multiext("<results>/tables/shifts", ".parquet", ".md", ".tex"),
    log:
        "<logs>/table_shifts.log",
    benchmark:
        "<benchmarks>/table_shifts.tsv"
    conda:
        environment("analysis")
    params:
        spec={},
        code=code_digest("table_shifts.py"),
    message:
        "table of shifts"
    script:
        "../workflow/scripts/table_shifts.py"


rule table_answers:
    input:
        runs="<results>/runs.parquet",
        responses=of_runs("<results>/{model}/{run}/responses/facts.parquet", base=True),
        labels=of_runs("<results>/{model}/{run}/labels.parquet", base=True),
    output:
        multiext("<results>/tables/answers", ".parquet", ".md", ".tex"),
    log:
        "<logs>/table_answers.log",
    benchmark:
        "<benchmarks>/table_answers.tsv"
    conda:
        environment("analysis")
    params:
        spec={"runs": RUN_NAMES + BASE_NAMES},
        code=code_digest("table_answers.py"),
    message:
        "table of answers"
    script:
        "../workflow/scripts/table_answers.py"


rule table_costs:
    input:
        train=of_runs("<benchmarks>/train_adapter/{model}/{run}.tsv"),
        records=of_runs("<results>/{model}/{run}/adapter/run.json"),
        ask=of_runs("<benchmarks>/ask/{model}/{run}/facts.tsv", base=True)
        + of_runs("<benchmarks>/ask/{model}/{run}/dynamics.tsv", EPOCHS),
        responses=of_runs("<results>/{model}/{run}/responses/facts.parquet", base=True)
        + of_runs("<results>/{model}/{run}/responses/dynamics.parquet", EPOCHS),
    output:
        multiext("<results>/tables/costs", ".parquet", ".md", ".tex"),
    log:
        "<logs>/table_costs.log",
    benchmark:
        "<benchmarks>/table_costs.tsv"
    conda:
        environment("analysis")
    params:
        spec={"trained": RUN_NAMES, "asked": RUN_NAMES + BASE_NAMES + EPOCH_NAMES},
        code=code_digest("table_costs.py"),
    message:
        "table of costs"
    script:
        "../workflow/scripts/table_costs.py"
