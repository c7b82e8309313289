# Everything a user runs. CONFIG=<file> chooses the study, ARGS=<...> goes to Snakemake (or pytest).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup facts study report adapter explain bench test test-all test-logic test-engine test-slurm test-faults format docs lock
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# A profile says itself how many cores there are.
snakemake = snakemake $(if $(CONFIG),--configfile $(CONFIG)) $(if $(findstring --profile,$(ARGS)),,--cores all)

study_of = python -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[-1]))["study"])'
define own_report
folder=results/$$($(study_of) $(or $(CONFIG),config/config.yaml)); \
PYTHONWARNINGS=ignore::RuntimeWarning $(snakemake) report $(ARGS) --quiet all --report $$folder/snakemake-report.html; \
printf '%s\n' "the study's page   $$folder/report.html" "Snakemake's report $$folder/snakemake-report.html"
endef

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile
	@echo "CONFIG=config/my-study.yaml and ARGS='--dry-run' go with facts, study, report and adapter; CONFIG with explain too"

setup: ## install everything into .venv (DEVICE=cpu or cuda, else what the machine has)
	@envs/install.sh

facts: setup ## make the facts of the study and a page that describes them, before anything is asked
	@$(snakemake) facts $(ARGS)

study: setup ## run the study: results/<study>/report.html and all that it shows
	@$(snakemake) $(ARGS)

report: setup ## the study's page, report.html, and Snakemake's own report, snakemake-report.html
	@$(snakemake) report $(ARGS)
	@$(if $(filter -n --dry-run --dryrun,$(ARGS)),,$(own_report))

comma := ,
exported = $(if $(RUN),run: $(RUN)$(comma))$(if $(MODEL), model: $(MODEL)$(comma))$(if $(MERGED), merged: true)

adapter: setup ## the adapter to take home with its card: the recommended, or RUN=uk80-hk1-s42 (MERGED=1, MODEL=...)
	@$(snakemake) adapter $(ARGS) $(if $(strip $(exported)),--config 'export={$(exported)}')

explain: setup ## how a run or a table was made: RUN=uk40-s42 or TABLE=shifts (MODEL=... where several have the run)
	@PYTHONPATH=workflow/scripts python -m knowpack.explain_study --config=$(or $(CONFIG),config/config.yaml) \
	  --run='$(RUN)' --model='$(MODEL)' --table='$(TABLE)'

benches = facts asking starts training scoring study roofline load
# All but these two are timed on a finished study.
bench = python tests/bench/$(1).py $(if $(filter facts load,$(1)),,$(or $(STUDY),results/world))
unknown_bench = $(error BENCH is one of $(benches), or left out for all; not '$(1)')

bench: setup ## time ours against plain scripts, all or BENCH=asking (see docs/performance.md); STUDY=results/world
	@$(foreach name,$(or $(BENCH),$(benches)),$(if $(filter $(name),$(benches)),$(call bench,$(name)),$(call unknown_bench,$(name))) &&) true

define check
@echo "== $(1)"
@$(1)
endef

test: setup ## check formats, types and the workflow, then run the tests but those marked slow
	$(call check,ruff format --check --quiet)
	$(call check,ruff check --quiet)
	$(call check,snakefmt --check Snakefile rules)
	@$(if $(ARGS),pytest -q $(ARGS),$(MAKE) --jobs=2 test-engine test-logic)

test-all: ## as `make test`, with the slow tests
	@$(MAKE) test CHOSEN=

CHOSEN = -m 'not slow'

test-logic:
	$(call check,mypy)
	$(call check,snakemake --lint)
	$(call check,pytest -q $(CHOSEN) tests/unit tests/workflow)

test-engine:
	$(call check,pytest -q $(CHOSEN) tests/study)

test-slurm: setup ## run the small study on a Slurm that is started here (as root; apt installs it)
	$(call check,pytest -q tests/slurm $(ARGS))

test-faults: setup ## kill the small study at 25 random moments, fill disks, damage files (SEED=... as before)
	$(call check,pytest -q -s tests/faults $(ARGS))

format: setup ## format the code in place
	@ruff format && ruff check --fix && snakefmt Snakefile rules

docs: setup ## write config/README.md and config/schema.json anew from the model of the configuration
	@cd workflow/scripts && python -m knowpack.config_docs

lock: ## pin all packages anew in envs/lock-cpu.txt and envs/lock-cuda.txt
	@envs/lock.sh
