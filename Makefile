# Commands for developers. `make run` and `make test` need Python 3.11 to 3.13 and nothing else.
.DEFAULT_GOAL := help
.PHONY: help run manage test test-ci test-full chaos bench mutants check audit format messages install install-dev
PY := .venv/bin/python

help:
	@echo "make run       start the console on this machine (PORT=8000, PRACTICE_ENGINE_PORT=8001, VAR_DIR=var)"
	@echo "make manage DO=\"add_person --help\"   run a management command with the settings of make run"
	@echo "make test      run the tests of every commit: on SQLite, then on PostgreSQL and Redis if found (ON=sqlite or ON=servers: one of them; T=tests/launches: some)"
	@echo "make test-ci   run these and the slow ones, as .ci/run does; make test-full: also every case of what is sampled"
	@echo "make chaos     run the long tests that kill processes; make bench: those that measure"
	@echo "make mutants   put small faults into copies of the code and list those that no test detects (AREA=access, SAMPLE=60: so many of each area, 0: all; SEED=1)"
	@echo "make check     check format, lint, types, import directions, settings, migrations, templates, translations"
	@echo "make audit     look up known vulnerabilities of the packages; needs a network"
	@echo "make format    format the code; make messages: update the catalogues of translations"

run: install
	@exec $(PY) -m console.dev.run

manage: install
	@exec $(PY) -m console.dev.run manage $(DO)

test: install-dev
	@exec $(PY) -m tests.run $(ON) $(if $(T),-- $(T))

test-ci: install-dev
	@exec $(PY) -m tests.run $(ON) --ci $(if $(T),-- $(T))

test-full: install-dev
	@exec $(PY) -m tests.run $(ON) --full $(if $(T),-- $(T))

chaos: install-dev
	@exec $(PY) -m tests.run $(ON) --marks chaos

bench: install-dev
	@exec $(PY) -m tests.run $(ON) --marks bench

mutants: install-dev
	@exec $(PY) -m tests.mutants $(AREA) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(if $(PROCESSES),--processes $(PROCESSES))

check: install-dev
	@exec $(PY) -m console.dev.check

audit: install-dev
	$(PY) -m pip_audit --require-hashes --disable-pip --progress-spinner off -r requirements.txt

format: install-dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix --quiet . || true

messages: install-dev
	$(PY) -m console.dev.translations messages

install: .venv/requirements.txt
install-dev: .venv/requirements-dev.txt

# The copy in .venv tells what was installed last; file times alone would also change with a checkout.
.venv/%.txt: %.txt $(PY)
	@cmp -s $< $@ || { echo "Installing $< ..." && $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<; }
	@cp $< $@

$(PY):
	@python=$$(console/dev/find_python.sh) && echo "Creating a virtual environment in .venv with $$python ..." && "$$python" -m venv --clear .venv
