#!/usr/bin/env bash
# lstm-run --self-test and the golden answers on emulated 64-bit ARM:
# tests/device/aarch64.sh [FOLDER [CPU...]]
#
# Wants Debian's qemu-user-static, apt, pip, root's rights (chroot) and some minutes. Fetches Debian's
# Python for arm64 and the aarch64 wheels of numpy and onnxruntime into FOLDER, and runs the tree that
# this script lies in on each CPU. An instruction that a processor does not have ends the run.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(realpath "${1:-$(mktemp -d)}")
cpus=("${@:2}")
[ ${#cpus[@]} -gt 0 ] || cpus=(cortex-a53 cortex-a72 cortex-a76) # Raspberry Pi 3, 4 and 5
root=$folder/root

# An apt of its own, for another architecture: the machine's is left alone.
apt_arm64() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root \
    -o Dir::State::lists="$folder/lists" -o Dir::State::status=/dev/null \
    -o Dir::Cache::archives="$folder/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
}
if [ ! -e "$root/usr/bin/python3.11" ]; then
  mkdir -p "$root"/{app,dev,proc,tmp} "$folder"/{lists,archives}/partial "$folder/debs"
  apt_arm64 update
  (cd "$folder/debs" && apt_arm64 download libc6 libgcc-s1 libstdc++6 zlib1g libexpat1 libffi8 libssl3 \
    libbz2-1.0 liblzma5 libuuid1 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib)
  for package in "$folder"/debs/*.deb; do dpkg-deb -x "$package" "$root"; done
  python3 -m pip install --quiet --no-deps --target "$root/app/site" --only-binary=:all: \
    --python-version 3.11 --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
    --platform manylinux2014_aarch64 numpy onnxruntime click flatbuffers protobuf packaging
  cp "$(command -v qemu-aarch64-static)" "$root"
fi
rm -rf "$root/app/runtime"
cp -r "$repository/runtime" "$repository/tests/device/golden_difference.py" \
  "$repository/tests/golden/answers.json" "$root/app"
rm -f "$root"/app/runtime/lstm_runtime/kernel/*.so # built for the host

# ONNX Runtime asks Linux about the processor; the host's answers, of another kind, would crash it.
declare -A part=([cortex-a53]=0xd03 [cortex-a72]=0xd08 [cortex-a76]=0xd0b)
mkdir -p "$root/sys/devices/system/cpu"
echo 0 | tee "$root/sys/devices/system/cpu/possible" > "$root/sys/devices/system/cpu/present"
for cpu in "${cpus[@]}"; do
  printf 'processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: %s\nCPU revision\t: 0\n' \
    "${part[$cpu]:-0xd03}" > "$root/proc/cpuinfo"
  echo "== $cpu"
  emulated=(
    env -i PATH=/usr/bin HOME=/tmp OMP_NUM_THREADS=1 PYTHONPATH=/app/runtime:/app/site
    "$(PATH=$PATH:/usr/sbin command -v chroot)" "$root"
    /qemu-aarch64-static -cpu "$cpu" /usr/bin/python3.11
  )
  "${emulated[@]}" -m lstm_runtime --self-test
  "${emulated[@]}" /app/golden_difference.py /app/answers.json
done
