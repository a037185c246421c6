#!/bin/sh
# One process per node; RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT come from Cairn, so no launcher is needed.
set -eu
# One thread per process: on shared cores more of them spin against each other.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"
exec "$(cat .python)" -u train.py
