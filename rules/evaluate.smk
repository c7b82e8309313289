# What every run learned and lost: one table a question, each as parquet, Markdown, LaTeX and HTML.

TABLE_SPECS = table_specs.table_specs(study, RUNS)
TABLES = multiext(
    "<results>/tables/",
    "categories.parquet",
    "reliability.parquet",
    "shifts.parquet",
    "answers.parquet",
    "shift_reasons.parquet",
    "shift_examples.parquet",
    "benchmarks.parquet",
    "published.parquet",
    "capacity.parquet",
    "frontier.parquet",
    "levers.parquet",
    "costs.parquet",
)
if study.generalization:
    TABLES.append("<results>/tables/generalization.parquet")
if specs.has_categories(study.facts):
    TABLES.append("<results>/tables/published_categories.parquet")


rule table_categories:
    input:
        labels=expand("<results>/{model}/base/labels.parquet", model=MODELS),
    output:
        forms("categories"),
    log:
        "<logs>/table_categories.log",
    benchmark:
        "<benchmarks>/table_categories.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_categories"],
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
        stopped=of_runs("<results>/{model}/{run}/adapter/run.json", STOPPED),
    output:
        forms("reliability"),
    log:
        "<logs>/table_reliability.log",
    benchmark:
        "<benchmarks>/table_reliability.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_reliability"],
        code=code_digest("table_reliability.py"),
    message:
        "table of reliability"
    script:
        "../workflow/scripts/table_reliability.py"


rule table_generalization:
    input:
        runs="<results>/runs.parquet",
        labels=of_reworded("<results>/{model}/{run}/generalization.parquet"),
    output:
        forms("generalization"),
    log:
        "<logs>/table_generalization.log",
    benchmark:
        "<benchmarks>/table_generalization.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_generalization"],
        code=code_digest("table_generalization.py"),
    message:
        "table of generalization"
    script:
        "../workflow/scripts/table_generalization.py"


rule table_shifts:
    input:
        runs="<results>/runs.parquet",
        base=of_runs("<results>/{model}/base/labels.parquet"),
        labels=of_runs("<results>/{model}/{run}/labels.parquet"),
        rows=of_runs("<results>/{model}/{run}/rows.parquet"),
    output:
        forms("shifts"),
    log:
        "<logs>/table_shifts.log",
    benchmark:
        "<benchmarks>/table_shifts.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_shifts"],
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
        forms("answers"),
    log:
        "<logs>/table_answers.log",
    benchmark:
        "<benchmarks>/table_answers.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_answers"],
        code=code_digest("table_answers.py"),
    message:
        "table of answers"
    script:
        "../workflow/scripts/table_answers.py"


rule table_shift_reasons:
    input:
        runs="<results>/runs.parquet",
        facts="<results>/facts.parquet",
        base_responses=of_runs("<results>/{model}/base/responses/facts.parquet"),
        base_labels=of_runs("<results>/{model}/base/labels.parquet"),
        responses=of_runs("<results>/{model}/{run}/responses/facts.parquet"),
        labels=of_runs("<results>/{model}/{run}/labels.parquet"),
        rows=of_runs("<results>/{model}/{run}/rows.parquet"),
    output:
        reasons=forms("shift_reasons"),
        examples=forms("shift_examples"),
    log:
        "<logs>/table_shift_reasons.log",
    benchmark:
        "<benchmarks>/table_shift_reasons.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec={},
        code=code_digest("table_shift_reasons.py"),
    message:
        "tables of the reasons of shifts"
    script:
        "../workflow/scripts/table_shift_reasons.py"


rule table_benchmarks:
    input:
        runs="<results>/runs.parquet",
        scores=of_suites("<results>/{model}/{run}/scores/{suite}.parquet"),
    output:
        forms("benchmarks"),
    log:
        "<logs>/table_benchmarks.log",
    benchmark:
        "<benchmarks>/table_benchmarks.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_benchmarks"],
        code=code_digest("table_benchmarks.py"),
    message:
        "table of benchmarks"
    script:
        "../workflow/scripts/table_benchmarks.py"


rule table_capacity:
    input:
        runs="<results>/runs.parquet",
        base=of_runs("<results>/{model}/base/labels.parquet"),
        labels=of_runs("<results>/{model}/{run}/labels.parquet"),
        rows=of_runs("<results>/{model}/{run}/rows.parquet"),
        rewordings=of_runs("<results>/{model}/{run}/generalization.parquet", REWORDED),
        scores=of_suites("<results>/{model}/{run}/scores/{suite}.parquet"),
        questions=of_suites("<results>/{model}/{run}/questions/{suite}.parquet"),
    output:
        capacity=forms("capacity"),
        frontier=forms("frontier"),
        levers=forms("levers"),
    log:
        "<logs>/table_capacity.log",
    benchmark:
        "<benchmarks>/table_capacity.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_capacity"],
        code=code_digest("table_capacity.py"),
    message:
        "tables of capacity, frontier and levers"
    script:
        "../workflow/scripts/table_capacity.py"


rule table_published:
    input:
        runs="<results>/runs.parquet",
        categories="<results>/tables/categories.parquet",
        reliability="<results>/tables/reliability.parquet",
        shifts="<results>/tables/shifts.parquet",
        answers="<results>/tables/answers.parquet",
        shift_reasons="<results>/tables/shift_reasons.parquet",
        benchmarks="<results>/tables/benchmarks.parquet",
    output:
        forms("published"),
    log:
        "<logs>/table_published.log",
    benchmark:
        "<benchmarks>/table_published.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=specs.published_spec(study),
        code=code_digest("table_published.py"),
    message:
        "table of the paper's figures beside the measured ones"
    script:
        "../workflow/scripts/table_published.py"


rule table_costs:
    input:
        records=of_runs("<results>/{model}/{run}/adapter/run.json", TRAINED),
        responses=of_runs("<results>/{model}/{run}/responses/facts.parquet", base=True)
        + of_runs("<results>/{model}/{run}/responses/dynamics.parquet", EPOCHS)
        + of_suites("<results>/{model}/{run}/responses/{suite}.parquet")
        + expand("<results>/{model}/base/responses/extra_facts.parquet", model=POOLED)
        + of_reworded("<results>/{model}/{run}/responses/generalization.parquet"),
    output:
        forms("costs"),
    log:
        "<logs>/table_costs.log",
    benchmark:
        "<benchmarks>/table_costs.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_costs"],
        code=code_digest("table_costs.py"),
    message:
        "table of costs"
    script:
        "../workflow/scripts/table_costs.py"


rule table_published_categories:
    input:
        facts="<results>/facts.parquet",
        labels=expand("<results>/{model}/base/labels.parquet", model=MODELS),
    output:
        forms("published_categories"),
    log:
        "<logs>/table_published_categories.log",
    benchmark:
        "<benchmarks>/table_published_categories.tsv"
    conda:
        environment("analysis")
    resources:
        **needs("tables"),
    params:
        spec=TABLE_SPECS["table_published_categories"],
        code=code_digest("table_published_categories.py"),
    message:
        "table of published categories"
    script:
        "../workflow/scripts/table_published_categories.py"
