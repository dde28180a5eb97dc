#!/bin/bash
# The installed library is used by a stranger: cmake --install to a fresh prefix, which is then moved, and a client in C
# that simulates a small scenario, built once with CMake's find_package and once with pkg-config.
set -u
n_passed=0
n_failed=0
check() { # check WHAT COMMAND...: the command succeeds
  local what=$1
  shift
  if "$@" >"$folder/log" 2>&1; then
    n_passed=$((n_passed + 1))
  else
    n_failed=$((n_failed + 1))
    echo "FAILED: $what"
    tail -n 20 "$folder/log"
  fi
}
finish() {
  rm -rf "$folder"
  echo "$n_passed passed, $n_failed failed"
  [ "$n_failed" -eq 0 ]
  exit
}

folder=$(mktemp -d "$POLKU_BUILD/installed-XXXXXX") # not in /tmp, from which nothing may run on some machines
first=$folder/first prefix=$folder/moved
check "cmake --install" cmake --install "$POLKU_BUILD" --prefix "$first"
[ "$n_failed" -eq 0 ] || finish
mv "$first" "$prefix"

check "the program is installed" "$prefix/bin/polku" --version
for header in "$POLKU_SOURCE"/sim/*/include/polku/*.h; do
  name=polku/$(basename "$header")
  check "$name is installed as it is" cmp "$header" "$prefix/include/$name"
  check "a stranger includes $name" cc -std=c11 -fsyntax-only -x c -I"$prefix/include" -include "$name" /dev/null
done
for schema in models/model.schema.json configs/scenario.schema.json configs/calibrated.schema.json \
  configs/study.schema.json configs/claims.schema.json; do
  check "$schema is installed" cmp "$POLKU_SOURCE/$schema" "$prefix/share/polku/$(basename "$schema")"
done
no_private() { ! find "$prefix" -name '*private*' | grep .; }
check "private headers are not installed" no_private
# the sources' own folder may have a short name that stands in other texts, so what lies in it is looked for
no_paths() { ! grep -rIlE "$first|$POLKU_BUILD|$POLKU_SOURCE/(sim|build|cmake)" "$prefix" --include='*.cmake' --include='*.pc' --include='*.h'; }
check "no installed text names the place it was made at" no_paths

mkdir "$folder/client"
cd "$folder/client" || exit 1
cat >client.c <<'END'
#include <stdio.h>

#include <polku/calibrate.h>
#include <polku/load.h>
#include <polku/run.h>
#include <polku/variants.h>

int main(int argc, char **argv)
{
    struct pk_problems problems;
    struct pk_error error = {0};
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_values values;
    struct pk_plan plan;
    struct pk_run run;
    struct pk_run_options options = {.n_threads = 2};
    pk_problems_init(&problems);
    if (argc != 2 || pk_load_scenario(argv[1], NULL, &scenario, &model, &problems) != PK_OK)
        return 1;
    pk_plan_init(&plan);
    if (pk_variants_values(&values, &model, &scenario, NULL, 0, NULL, 0, &error) != PK_OK ||
        pk_plan_compile(&plan, &model, &scenario, &values, &error) != PK_OK ||
        pk_run_simulate(&run, &plan, &model, &scenario, &values, &options, &error) != PK_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf("%lld transitions\n", (long long)run.fold.n_events);
    pk_run_free(&run);
    pk_plan_free(&plan);
    pk_values_free(&values);
    pk_scenario_free(&scenario);
    pk_model_free(&model);
    pk_problems_free(&problems);
    return 0;
}
END
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(client LANGUAGES C)
find_package(polku REQUIRED)
add_executable(client client.c)
target_link_libraries(client PRIVATE polku::polku)
END

scenario=$POLKU_SOURCE/tests/data/good/scenario.yaml
expected=$("$prefix/bin/polku" run "$scenario" --no-variants -o "$folder/good.h5" | grep -o '[0-9]* transitions')
same() { [ "$("$1" "$scenario")" = "$expected" ]; }

# A library made with sanitizers needs them in the client too.
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$POLKU_BUILD/CMakeCache.txt")
sanitize=$(sed -n 's/^POLKU_SANITIZE:[A-Z]*=//p' "$POLKU_BUILD/CMakeCache.txt")
flags=${sanitize:+-fsanitize=$sanitize}
grep -q '^POLKU_COVERAGE:BOOL=ON' "$POLKU_BUILD/CMakeCache.txt" && flags="$flags --coverage"

check "find_package(polku) finds it" cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
  -DCMAKE_C_FLAGS="$flags"
check "a client is built by CMake" cmake --build build
check "and simulates what the program simulates: $expected" same build/client

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig:$prefix/lib/$(cc -print-multiarch 2>/dev/null)/pkgconfig:$prefix/lib64/pkgconfig
check "pkg-config knows polku" pkg-config --exists --print-errors polku
version() { [ "polku $(pkg-config --modversion polku)" = "$("$prefix/bin/polku" --version | head -n 1 | cut -d' ' -f1,2)" ]; }
check "and its version is the program's" version
# shellcheck disable=SC2046,SC2086 # lists of words
check "a client is built with pkg-config" $cc -std=c11 $flags client.c -o client $(pkg-config --cflags --libs --static polku)
check "and simulates what the program simulates: $expected" same ./client
finish
