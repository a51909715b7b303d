#!/usr/bin/env bash
# The measures of a model's card: on unseen generated stories (made here) and on the natural ones of data/stories. A JSON line each.
# Needs `npm run build`. Usage: scripts/measure.sh [MODEL [FOLDER]]; about ten minutes on two threads.
# What is in the folder is not measured again; scripts/card.mjs writes it into the model's card.
set -euo pipefail
source "$(dirname "$0")/measuring.sh"

[ -s "$folder/generator.json" ] || $run data stories --seed 1 --count 24000 --statistics --json > "$folder/generator.json"
for text in "generated $generated" "natural data/stories"; do
  read -r name data <<< "$text"
  unseen=(--data "$data" --split test)
  measure "$name-64" "${unseen[@]}" --count 40 --quick --span 64
  measure "$name-32" "${unseen[@]}" --count 15 --quick --span 32
  measure "$name-16" "${unseen[@]}" --count 8 --quick --span 16
  measure "$name-sentences" "${unseen[@]}" --count 15 --measure sentences
  measure "$name-blends" "${unseen[@]}" --count 40 --measure blends --pairs 60
  measure "$name-sentence-blends" "${unseen[@]}" --count 20 --measure blends --unit sentence --pairs 60
  measure "$name-space" "${unseen[@]}" --count 40 --measure space --pairs 40
  prose() { measure "$name-prose-$1" "${unseen[@]}" --count 12 --measure prose "${@:2}"; }
  prose thread --preset thread
  prose repository --preset repository
  for rule in normKept medoid one; do prose "thread-$rule" --preset thread --averaging "$rule"; done
  measure "$name-retrieval" "${unseen[@]}" --count 80 --measure retrieval
done
measure plain-sentences --data data/plain-sentences.txt --measure sentences
measure arithmetic --measure arithmetic
measure disentanglement --measure disentanglement
for seed in 0 1 2 3 4 5 6 7 8 9; do
  file="$folder/demo-$seed.jsonl"
  [ -s "$file" ] || { $run demo --model "$model" --seed "$seed" --json > "$file.part" && mv "$file.part" "$file"; }
done
