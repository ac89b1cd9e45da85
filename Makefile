# podnet: make up, make down; `make help` says the rest.
STACK ?= dev
BASE ?= origin/main
RUN := ./lab/run

.DEFAULT_GOAL := help
.PHONY: help up down preview preview-comment policy verify env prepare test lint golden bench

help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

up: ## bring up machines, cluster, pod network and nginx, and verify them (STACK=dev)
	@$(RUN) python -m lab up --stack $(STACK)

down: ## take all of it away again
	@$(RUN) python -m lab down --stack $(STACK)

preview: ## show what up would do; needs no root, machine or cluster
	@$(RUN) python -m lab preview --stack $(STACK)

preview-comment: ## say as Markdown what this checkout changes against BASE (origin/main), as a pull request shows it
	@$(RUN) python -m lab preview-comment --stack $(STACK) --base $(BASE) $(if $(OUTPUT),--output $(OUTPUT))

policy: ## preview with the policy pack, which refuses what a reviewer would
	@$(RUN) python -m lab preview --stack $(STACK) -- --policy-pack policy

verify: ## prove the network of a stack that is up once more
	@eval "$$($(RUN) python -m lab env --stack $(STACK))" && $(RUN) python -m podnet verify --stack $(STACK)

env: ## print what puts pulumi, kubectl and vagrant into a shell: eval "$$(make -s env)"
	@$(RUN) python -m lab env --stack $(STACK)

prepare: ## make the toolchain, the node bundle and the box, and nothing else
	@$(RUN) python -m lab prepare

test: lint ## run every test, on real boxes too where this machine can run them
	@$(RUN) --dev python -m tests.prepare
	@$(RUN) --dev python -m pytest

lint: ## formatting, types and import rules
	@$(RUN) --dev ruff check .
	@$(RUN) --dev mypy
	@$(RUN) --dev lint-imports

golden: ## write the golden files anew; read the difference before committing it
	@$(RUN) --dev python -m pytest tests/unit tests/golden tests/resources --update-golden

bench: ## time up against the plainest script that does the same
	@$(RUN) python -m bench.up
