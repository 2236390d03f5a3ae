# The console's commands. `make run` and `make test` need Python 3.11 to 3.13 and nothing else.
.DEFAULT_GOAL := help
.PHONY: map help run manage test chaos bench check audit format messages install install-dev
PY := .venv/bin/python

help:
	@echo "make run       start everything on this machine (PORT=8000, VAR_DIR=var)"
	@echo "make manage DO=\"add_person --help\"   a management command on what make run set up"
	@echo "make test      all tests: on SQLite, then on PostgreSQL and Redis where there are any (ON=sqlite or ON=servers: one of them; T=tests/pages: some)"
	@echo "make chaos     the long tests that kill processes; make bench: the ones that measure"
	@echo "make check     format, lint, types, import directions, settings, migrations, templates, translations"
	@echo "make audit     known faults of the packages that are used, where there is a network"
	@echo "make format    what make check wants of the format; make messages: gather messages to translate"

run: install
	@exec $(PY) -m console.run

manage: install
	@exec $(PY) -m console.run manage $(DO)

test: install-dev
	@exec $(PY) -m tests.passes $(ON) $(if $(T),-- $(T))

chaos: install-dev
	@exec $(PY) -m tests.passes $(ON) --marks chaos

bench: install-dev
	@exec $(PY) -m tests.passes $(ON) --marks bench

check: install-dev
	@exec $(PY) -m console.check

audit: install-dev
	@exec $(PY) -m console.known_faults

format: install-dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix --quiet . || true

map: install-dev
	$(PY) -m console.map

messages: install-dev
	$(PY) -m console.translations messages

install:
	@python=$$(console/python.sh) && "$$python" console/install.py requirements.txt

install-dev:
	@python=$$(console/python.sh) && "$$python" console/install.py requirements-dev.txt
