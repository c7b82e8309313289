#!/usr/bin/env bash
# Writes envs/lock-cpu.txt and envs/lock-cuda.txt from envs/requirements-*.in. A pin stays as it is
# while the requirements allow it; to move all to the newest versions, delete the locks first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

python3.11 -m venv "$tmp/venv"
pip=("$tmp/venv/bin/python" -m pip -qq --disable-pip-version-check)
"${pip[@]}" install "$(grep '^uv==' requirements.in)"

# The resolver looks at no index but PyPI, where torch's CPU builds are not.
torch=$(grep '^torch==' requirements-cpu.in)
"${pip[@]}" download --no-deps -d "$tmp" "$torch" 2>/dev/null ||
  "${pip[@]}" download --no-deps -d "$tmp" "$torch" --index-url https://download.pytorch.org/whl/cpu

compile() { # <device> [option]...
  "$tmp/venv/bin/uv" pip compile --quiet --no-header --no-annotate --python-version 3.11 \
    --python-platform x86_64-manylinux_2_28 --excludes excluded.txt --overrides overridden.txt \
    "requirements-$1.in" -o "$tmp/lock.txt" "${@:2}" >/dev/null
  cp "$tmp/lock.txt" "lock-$1.txt"
  echo "envs/lock-$1.txt: $(wc -l <"lock-$1.txt") packages"
}
if [[ -f lock-cpu.txt ]]; then cp lock-cpu.txt "$tmp/lock.txt"; fi
# vLLM for CPUs asks for triton, yet runs without it only.
compile cpu --find-links "$tmp" --no-emit-package triton
# Starts from the CPU pins, so that the two sets differ only where they must.
cat lock-*.txt | sort --stable --unique --field-separator== --key=1,1 >"$tmp/lock.txt"
compile cuda
