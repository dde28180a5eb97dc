#!/bin/bash
# A result made now, damaged in many ways, is read or refused: replay_results.sh REPLAY
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$POLKU" run "$POLKU_SOURCE/tests/data/good/scenario.yaml" --no-variants -r 1 --people 100 -o "$folder/good.h5" >"$folder/told"
"$1" -n 200 "$folder/good.h5"
for study in sweeps/chain_ways sweeps/doubt_draws sweeps/doubt_grid good/sweep_grid good/sweep_screen; do # and samples
    "$POLKU" sweep "$POLKU_SOURCE/tests/data/$study.yaml" -o "$folder/sample" >"$folder/told" 2>&1
    "$1" -n 120 "$folder/sample.h5"
    rm "$folder/sample.h5"
done
