#!/bin/bash
# A result made now, damaged in many ways, is read or refused: replay_results.sh REPLAY
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$POLKU" run "$POLKU_SOURCE/tests/data/good/scenario.yaml" --no-variants -r 1 --people 100 -o "$folder/good.h5" >"$folder/told"
"$1" -n 200 "$folder/good.h5"
