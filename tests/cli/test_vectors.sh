#!/usr/bin/env bash
# Lives are the same whatever the instruction set: every way prints the digest of the reference, one life after another.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# scenario NAME: from a model's states, parameters and transitions on standard input.
scenario() {
    { printf 'polku: 1\nmodel: %s\n' "$1" && cat; } >"$folder/$1_model.yaml"
    cat >"$folder/$1.yaml" <<TEXT
polku: 1
scenario: $1
model: $1_model.yaml
seed: 2385
start: 2021-03-01
horizon: {years: 6}
replications: 1
population: {size: 3000, state: {a: 0.6, b: 0.4}, age: {uniform: [20, 60]}, elapsed: {a: {uniform: [0, 3]}}}
arms: {none: {}}
event_log: {persons: all}
tables: [{name: occupancy, measure: occupancy, step: {years: 1}}]
TEXT
}

# Hazards on several clocks, more from one state than from another.
scenario clocks <<'TEXT'
states: {a: {}, b: {}, c: {}}
parameters:
  rate: {value: 0.7, unit: per_year, source: {assumption: made up}}
  by_age: {table: {clock: age, cuts: [25, 41], values: [0.6, 0, 0.2]}, unit: per_year, source: {assumption: made up}}
  by_time: {table: {clock: since_start, cuts: [2.2, 4], values: [0, 0.8, 0.4]}, unit: per_year,
            source: {assumption: made up}}
  since: {table: {clock: time_in_state, cuts: [0.3, 1.5], values: [0.1, 0.9, 0.3]}, unit: per_year,
          source: {assumption: made up}}
transitions:
  ab: {from: a, to: b, hazard: rate}
  ac: {from: a, to: c, hazard: rate}
  more: {from: a, to: b, hazard: by_time}
  ba: {from: b, to: a, hazard: by_age}
  bc: {from: b, to: c, hazard: by_time}
  cb: {from: c, to: b, hazard: by_age}
  ca: {from: c, to: a, hazard: since}
  again: {from: c, to: b, hazard: since}
TEXT

# A fixed time cuts spells short; the next goes on with the rest of the exponential.
scenario rests <<'TEXT'
states: {a: {}, b: {}}
parameters:
  rate: {value: 0.5, unit: per_year, source: {assumption: made up}}
  soon: {value: 1.3, unit: years, source: {assumption: made up}}
transitions:
  ab: {from: a, to: b, hazard: rate}
  end: {from: a, to: b, at: {clock: time_in_state, value: soon}}
  ba: {from: b, to: a, hazard: rate}
TEXT

for path in "$POLKU_SOURCE"/tests/data/good/{everything,imported,mean_age,open,places,told}.yaml "$folder"/{clocks,rests}.yaml; do
    expected=
    for vectors in none plain avx2 avx512; do
        told=$("$POLKU" run "$path" -o "$folder/out.h5" --no-variants --vectors $vectors 2>"$folder/errors") ||
            { grep -q "$vectors" "$folder/errors" && continue || { cat "$folder/errors"; exit 1; }; }
        digest=$(grep '^digest:' <<<"$told")
        expected=${expected:-$digest}
        [ "$digest" = "$expected" ] || { echo "$path: $vectors gives another result than none"; exit 1; }
    done
done
