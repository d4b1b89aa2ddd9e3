#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Start a command (default: a shell) under lx, from the build tree.   usage: run.sh [COMMAND...]

set -eu
cd "$(dirname "$0")/.."
exec "${BUILD:-build}/lx" "$@"
