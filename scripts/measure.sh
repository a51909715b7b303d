#!/usr/bin/env bash
# The measures of a model's card: on unseen generated stories (made here) and on the natural ones of data/stories. A JSON line each.
# Needs `npm run build`. Usage: scripts/measure.sh [FOLDER [MODEL]]; about fifteen minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
run="${BIGVAE:-node dist/cli/main.js}"
folder="${1:-runs/measures}"
model="${2:-pocket}"
mkdir -p "$folder"

generated="$folder/generated.jsonl"
[ -f "$generated" ] || $run data stories --seed 1 --count 24000 --output "$generated" --quiet
$run data stories --seed 1 --count 24000 --statistics --json > "$folder/generator.json"

measure() { # measure NAME FLAGS...: nothing is measured twice
  local file="$folder/$1.json"
  shift
  [ -s "$file" ] || { $run eval --model "$model" --quiet --json "$@" > "$file.part" && mv "$file.part" "$file"; }
}
for text in "generated $generated" "natural data/stories"; do
  read -r name data <<< "$text"
  unseen=(--data "$data" --split test)
  measure "$name-64" "${unseen[@]}" --count 100 --span 64
  measure "$name-16" "${unseen[@]}" --count 25 --span 16
  measure "$name-sentences" "${unseen[@]}" --count 25 --measure sentences
  measure "$name-blends" "${unseen[@]}" --count 100 --measure blends
  measure "$name-prose" "${unseen[@]}" --count 500 --measure prose
done
measure arithmetic --measure arithmetic
measure disentanglement --measure disentanglement
