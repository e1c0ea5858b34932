# Needs Python 3.11 to 3.13, pip and make; everything else goes into $(VENV).
PYTHON ?= python3
VENV ?= .venv
SPARK_VENV ?= .spark-venv
RUN ?= runs/completejourney
TABLE ?= runs/table
EPOCHS ?= 8
FAULTS ?= runs/faults

.PHONY: train table test faults test-browser test-replicas test-spark docs docs-links test-docs
.PHONY: lint lock

train: $(VENV)/installed
	$(VENV)/bin/python -m tf_iclrec.train --data completejourney --epochs $(EPOCHS) \
		--output $(RUN) --overwrite

# A small version of ICLRec's Table 1, on the embedded data: runs/table/iclrec_table_1.html.
table: $(VENV)/installed
	$(VENV)/bin/python pipelines/iclrec_table_1.py --small --output $(TABLE)

test: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Kills commands, fills disks, damages files, sends hostile requests; an hour or more.
faults: $(VENV)/installed
	$(VENV)/bin/python -m tests.faults.everything --output $(FAULTS)

# Needs Chromium: the pages of runs and data, and the explorer, as people use them.
test-browser: $(VENV)/installed
	$(VENV)/bin/python -m pytest -p no:xdist -m browser tests/browser

# Trainings over several processes and devices of this machine, as one trains, killed and resumed.
test-replicas: $(VENV)/installed
	$(VENV)/bin/python -m pytest -p no:xdist -m replicas tests/replicas

# The site, in docs/_build/html; its notebooks are run, a minute or two each.
docs: $(VENV)/docs-installed
	$(VENV)/bin/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build/html

# Asks every address that the site links to; needs the network.
docs-links: docs
	$(VENV)/bin/sphinx-build --quiet --builder linkcheck docs docs/_build/links

# Runs every command and block of Python of the guides, and looks at the site in a browser.
test-docs: docs
	$(VENV)/bin/python -m pytest -p no:xdist -m docs tests/docs

# Needs Java 17.
test-spark: $(SPARK_VENV)/installed
	$(SPARK_VENV)/bin/python -m pytest -p no:xdist tests/spark

$(SPARK_VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(SPARK_VENV)
	$(SPARK_VENV)/bin/pip install --quiet --no-deps --requirement requirements.lock
	$(SPARK_VENV)/bin/pip install --quiet --constraint requirements.lock --editable ".[spark]"
	touch $@

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --no-deps --requirement requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/docs-installed: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --constraint requirements.lock --editable ".[docs,browser]"
	touch $@

# Newest versions within the ranges of pyproject.toml; needs uv. Resolved for Linux, and without
# saying so at each package: on macOS the same versions do, installed without their own demands.
lock:
	uv pip compile pyproject.toml --extra cpu --extra demo --extra tfds --extra test \
		--extra browser --extra explore --extra plots --universal --python-version 3.11 --upgrade \
		--custom-compile-command "make lock" --output-file requirements.lock
	sed -i.bak "s/ and sys_platform == 'linux'//; s/ and python_full_version < '3.14'//; \
		s/ ; python_full_version < '3.14'$$//" requirements.lock
	rm requirements.lock.bak
