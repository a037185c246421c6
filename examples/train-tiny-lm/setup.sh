#!/bin/sh
# Finds a Python that has PyTorch, or installs one, and writes its path to .python for run.sh.
set -eu

has_torch() { "$1" -c 'import torch, torch.distributed' >/dev/null 2>&1; }

for python in python3 /usr/bin/python3 "$HOME/.venv-torch/bin/python"; do
  if has_torch "$python"; then
    command -v "$python" > .python
    exit 0
  fi
done

# Debian's own build. The BLAS matters: without OpenBLAS training is some hundred times slower.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing PyTorch from Debian's packages ..."
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-torch libopenblas0-pthread >/dev/null
  if has_torch /usr/bin/python3; then
    echo /usr/bin/python3 > .python
    exit 0
  fi
fi

echo "Installing PyTorch with pip ..."
python3 -m venv "$HOME/.venv-torch"
"$HOME/.venv-torch/bin/pip" install --quiet torch numpy
has_torch "$HOME/.venv-torch/bin/python" || { echo "PyTorch is not to be had on this node: install python3-torch or allow pip." >&2; exit 1; }
echo "$HOME/.venv-torch/bin/python" > .python
