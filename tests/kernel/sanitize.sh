#!/usr/bin/env bash
# The kernel under Clang's sanitizers: bash tests/kernel/sanitize.sh [SECONDS of fuzzing]
# Debian: apt-get install clang libclang-rt-14-dev
set -euo pipefail
cd "$(dirname "$0")/../../runtime/lstm_runtime/kernel/src"
tests=../../../../tests/kernel/c
seconds=${1:-60}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

avx2="-mavx2 -mfma"
avx512="-mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512vnni"
sets=(-DHAS_AVX2 -DHAS_AVXVNNI -DHAS_AVX512VNNI)

# link OUT SANITIZERS MAIN: the operator without its entry points, and a program around it
link() {
    local flags="-g -O1 -std=gnu11 -fno-omit-frame-pointer -fno-sanitize-recover=all -ffp-contract=off -Wno-psabi -fsanitize=$2"
    clang $flags -DSET_PORTABLE -c layer.c -o "$build/portable.o"
    clang $flags -DSET_AVX2 $avx2 -c layer.c -o "$build/avx2.o"
    clang $flags -DSET_AVXVNNI $avx2 -mavxvnni -c layer.c -o "$build/avxvnni.o"
    # The same sources once more: UBSan has seen them, and would take minutes over 512 bits.
    clang ${flags/,undefined/} -DSET_AVX512VNNI $avx2 $avx512 -c layer.c -o "$build/avx512vnni.o"
    clang $flags "${sets[@]}" -I. pack.c dispatch.c tensor.c create.c compute.c text.c words.c \
        "$build"/{portable,avx2,avxvnni,avx512vnni}.o "$tests/$3" -lm -lpthread -o "$build/$1"
}

link threads thread threads.c
TSAN_OPTIONS=halt_on_error=1 "$build/threads"

link fuzz address,undefined,fuzzer fuzz.c
mkdir "$build/corpus"
"$build/fuzz" -max_total_time="$seconds" -max_len=2048 -len_control=0 -rss_limit_mb=2048 -print_final_stats=1 \
    "$build/corpus" 2>"$build/log" || { tail -50 "$build/log"; exit 1; }
grep -E "number_of_executed_units|average_exec_per_sec|new_units_added" "$build/log"
grep -E "cov:" "$build/log" | tail -1
