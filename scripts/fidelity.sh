#!/usr/bin/env bash
# The measures of docs/fidelity.md: texts rebuilt by their length, and blends. A JSON line each, beside those of scripts/measure.sh.
# Needs `npm run build`. Usage: scripts/fidelity.sh [MODEL [FOLDER]]; scripts/fidelity.mjs draws and writes what it measured.
set -euo pipefail
source "$(dirname "$0")/measuring.sh"

for text in "generated $generated" "natural data/stories"; do
  read -r name data <<< "$text"
  unseen=(--data "$data" --split test)
  for length in "8 8" "16 8" "24 15" "32 15" "48 40" "64 40"; do
    read -r span count <<< "$length"
    measure "$name-$span" "${unseen[@]}" --count "$count" --quick --span "$span"
  done
  measure "$name-blends" "${unseen[@]}" --count 40 --measure blends --pairs 60
  measure "$name-sentence-blends" "${unseen[@]}" --count 20 --measure blends --unit sentence --pairs 60
done
