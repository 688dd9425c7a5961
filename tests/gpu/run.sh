#!/usr/bin/env bash
# Everything that a graphics card should show, in five minutes, as one JSON.
#
#   tests/gpu/run.sh [--output FILE] [--device cuda] [--seconds 280] [--quick] [--only PART ...]
#
# Nothing needs to be installed but the packages; those that are missing may lie as wheels in .whl/.
# PYTHON names the interpreter. `--device cpu --quick --seconds 900` is a rehearsal without a card.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

python=${PYTHON:-python3}
[ -z "${PYTHON:-}" ] && [ -x .venv/bin/python ] && python=.venv/bin/python

site=""
if compgen -G ".whl/*.whl" > /dev/null; then
  site=$(mktemp -d)
  "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir --upgrade \
    --target "$site" .whl/*.whl || echo "The wheels in .whl cannot be installed; going on without."
fi

export PYTHONPATH="$PWD${site:+:$site}${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
exec "$python" -m tests.gpu.run "$@"
