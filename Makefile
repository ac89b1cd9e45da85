# podnet: make up, make down; `make help` says the rest.
STACK ?= dev
BASE ?= origin/main
PACK ?= policy
RUN := ./toolchain/run
SHELL_FILES := .ci/run toolchain/run toolchain/lock images/bundle/install images/box/lxc-template \
	images/box/root/usr/local/lib/podnet/lxc-prepare \
	podnet/scripts/podnet-claim podnet/scripts/podnet-host podnet/scripts/podnet-node bench/floor.sh

.DEFAULT_GOAL := help
.PHONY: help up down halt preview preview-comment policy verify conformance env prepare unit test-unit test faults lint golden lock bench

help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

up: ## bring up machines, cluster, pod network and nginx, and verify them (STACK=dev; REPLACE=node1 replaces that machine)
	@$(RUN) python -m podnet up --stack $(STACK) $(if $(REPLACE),--replace $(REPLACE))

down: ## take all of it away again
	@$(RUN) python -m podnet down --stack $(STACK)

halt: ## stop the machines; up starts them again
	@$(RUN) python -m podnet halt --stack $(STACK)

preview: ## show what up would do; needs no root, machine or cluster
	@$(RUN) python -m podnet preview --stack $(STACK)

preview-comment: ## say as Markdown what this checkout changes against BASE (origin/main), as a pull request shows it
	@$(RUN) python -m podnet preview-comment --stack $(STACK) --base $(BASE) $(if $(OUTPUT),--output $(OUTPUT))

policy: ## preview with the policy pack, which refuses what a reviewer would (PACK=FOLDER: with another one)
	@$(RUN) python -m podnet preview --stack $(STACK) -- --policy-pack $(PACK) \
	  $(addprefix --policy-pack-config ,$(wildcard $(PACK)/config.json))

verify: ## prove the network of a stack that is up once more
	@eval "$$($(RUN) python -m podnet env --stack $(STACK))" && $(RUN) python -m podnet verify --stack $(STACK)

conformance: ## run Kubernetes' own network tests on a stack that is up (QUICK=1: the ones that say most)
	@$(RUN) python -m podnet conformance --stack $(STACK) $(if $(QUICK),--quick)

env: ## print what puts pulumi, kubectl and vagrant into a shell: eval "$$(make -s env)"
	@$(RUN) python -m podnet env --stack $(STACK)

prepare: ## make the toolchain, the node bundle and the box, and nothing else
	@$(RUN) python -m podnet prepare

unit: ## run what needs nothing but Python: unit, property and golden tests, and lint; below a minute
	@$(RUN) --dev true
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint test-unit

test-unit:
	@$(RUN) --dev python -m pytest -n 2 tests/unit tests/property

test: lint ## run the tests, on real boxes too where this machine can run them (LONG=1: the long ones too)
	@$(RUN) --dev python -m tests.prepare
	@$(RUN) --dev python -m pytest -n 2 --dist loadgroup -m '(short or not faults)$(if $(LONG),, and not long)'

faults: ## break things on real boxes, one after another, and see them go right again
	@$(RUN) --dev python -m tests.prepare
	@$(RUN) --dev python -m pytest -m faults

lint: ## style, types, import rules and shell
	@$(RUN) --dev ruff check .
	@$(RUN) --dev ruff format --check --quiet .
	@$(RUN) --dev mypy
	@$(RUN) --dev env PYTHONPATH=.:policy lint-imports
	@$(RUN) --dev shellcheck $(SHELL_FILES)

golden: ## write the golden files again; read the difference before committing it
	@$(RUN) --dev python -m pytest tests/unit tests/golden tests/resources --update-golden

lock: ## update the lock files of the Python packages (UPGRADE=1: with the newest versions that the pins allow)
	@./toolchain/lock $(if $(UPGRADE),--upgrade)

bench: ## time up against the plainest script that does the same
	@$(RUN) python -m bench.up
