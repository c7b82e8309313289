#!/usr/bin/env bash
# Installs all that Knowpack uses into .venv, at the versions in envs/lock-<device>.txt.
# DEVICE=cpu|cuda chooses the set; otherwise it is the one installed last, or else cuda where an
# NVIDIA GPU answers. A set-up without its stamp, written last, was interrupted and is made anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
stamp=.venv/installed.txt

# One set-up at a time; pip and uv hold this too, as they may outlive a killed set-up.
exec 9>>envs/requirements.in
flock --nonblock 9 || { echo "Waiting for a set-up already under way" && flock 9; }

device=${DEVICE:-}
if [[ -z $device && -f $stamp ]]; then
  read -r _ device _ <"$stamp"
elif [[ -z $device ]]; then
  device=cpu
  if [[ $(nvidia-smi -L 2>/dev/null) == GPU* ]]; then device=cuda; fi
fi
if [[ $device != cpu && $device != cuda ]]; then
  echo "DEVICE=$device: write DEVICE=cpu or DEVICE=cuda" >&2
  exit 1
fi
lock=envs/lock-$device.txt

# With its place: a virtual environment that was moved or copied runs the old one's programs.
content() { echo "# $device set in $PWD/.venv" && cat "$lock"; }
if [[ -x .venv/bin/python && -f $stamp ]] && content | cmp -s - "$stamp"; then
  echo "Nothing to install: .venv has the $device set"
  exit
fi

for name in python3.11 python3 python; do
  if prefix=$("$name" 2>/dev/null -c \
    'import ensurepip, sys, venv; assert sys.version_info[:2] == (3, 11); print(sys.base_prefix)'); then
    python=$prefix/bin/python3.11 # not a virtual environment's: .venv itself may be active
    break
  fi
done
if [[ -z ${python:-} ]]; then
  echo "No Python 3.11 with venv and ensurepip on the PATH. Install one of:
  Debian, Ubuntu   sudo apt install python3.11 python3.11-venv
  conda            conda create -n python311 python=3.11 && conda activate python311
  pyenv            pyenv install 3.11 && pyenv shell 3.11" >&2
  exit 1
fi

echo "Setting up .venv for $device: $(wc -l <"$lock") packages"
rm -f "$stamp"
rm -rf .venv
"$python" -m venv .venv
pip() { .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps "$@"; }

torch=$(grep '^torch==' "$lock")
if ! message=$(pip "$torch" 2>&1); then
  [[ $device == cpu ]] && pip "$torch" --index-url https://download.pytorch.org/whl/cpu ||
    { echo "$message" >&2 && exit 1; }
fi
# uv reads no settings of pip: where PyPI is reached through those, pip does the work.
if ! { pip "$(grep '^uv==' "$lock")" &&
  .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps -r "$lock"; }; then
  echo "uv could not install the packages: trying pip"
  pip -r "$lock"
fi

# uv leaves that to Python, which writes nothing where PYTHONDONTWRITEBYTECODE is set or the folder is read-only:
# each of a study's jobs would compile all that it imports, half of a small job's time. Some files are templates.
.venv/bin/python -m compileall -q -j 0 .venv/lib/python3.11/site-packages >/dev/null || true

.venv/bin/python - "$device" <<'PYTHON'
import sys
import peft, snakemake, torch, transformers, vllm  # noqa: E401, F401
if sys.argv[1] == "cuda" and not torch.cuda.is_available():
    print("Warning: torch sees no GPU here. Its CUDA 13 needs an NVIDIA driver of 580 or later;"
          " on a machine without a GPU, DEVICE=cpu make setup")
PYTHON
content >"$stamp.new"
mv "$stamp.new" "$stamp"
echo "Set up in $SECONDS s"
