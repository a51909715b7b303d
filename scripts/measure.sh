#!/usr/bin/env bash
# The measures of a model's card: on unseen generated stories (made here) and on the natural ones of data/stories. A JSON line each.
# Needs `npm run build`. Usage: scripts/measure.sh [MODEL [FOLDER]]; about ten minutes on two threads.
# What is in the folder is not measured again; scripts/card.mjs writes it into the model's card.
set -euo pipefail
cd "$(dirname "$0")/.."
run="${BIGVAE:-node dist/cli/main.js}"
model="${1:-pocket}"
folder="${2:-runs/measures/$(basename "$model")}"
mkdir -p "$folder"
[ -d "$model" ] || { echo "$model: expected a model's folder, got none; name one" >&2; exit 2; }
weights="$(cd "$model" && find . -name '*.safetensors' -exec cksum {} + | sort | cksum)"
[ -f "$folder/weights" ] || echo "$weights" > "$folder/weights"
if [ "$weights" != "$(cat "$folder/weights")" ]; then
  echo "$folder holds the measures of other weights than $model has now; name another folder, or delete it" >&2
  exit 2
fi

generated="$folder/generated.jsonl"
[ -f "$generated" ] || $run data stories --seed 1 --count 24000 --output "$generated" --quiet
[ -s "$folder/generator.json" ] || $run data stories --seed 1 --count 24000 --statistics --json > "$folder/generator.json"

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
