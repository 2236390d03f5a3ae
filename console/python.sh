#!/bin/sh
# Prints the Python to make the virtual environment with: the one named in PYTHON, else the newest good one on this machine.
# Fails with one clear line when there is none.
good='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'
for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if "$name" -c "$good" >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
    version=$("$name" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) && seen="$seen $name is $version;"
done
echo "Cannot start: Python 3.11, 3.12 or 3.13 (with venv) is needed.${seen:- No Python was found.} PYTHON=/path/to/python make ... names another." >&2
exit 1
