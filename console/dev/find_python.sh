#!/bin/sh
# Prints the Python for the virtual environment: the one named in PYTHON, else the newest supported one on this machine.
# Fails with one line if there is none.
supported='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'
for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if "$name" -c "$supported" >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
    version=$("$name" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) && found="$found $name is $version;"
done
echo "Cannot start: Python 3.11, 3.12 or 3.13 (with venv) is needed.${found:- No Python was found.} PYTHON=/path/to/python make ... names another." >&2
exit 1
