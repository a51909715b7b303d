#!/usr/bin/env bash
# The pocket model from nothing: stories, tokenizer, base, VAE, router, all with this package. Needs `npm ci && npm run build`.
# Every step goes on where it was stopped: run the script again. About ten hours on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
run="node dist/cli/main.js"
work="${1:-runs/pocket}"
mkdir -p "$work"

[ -f "$work/generated.jsonl" ] || $run data stories --seed 1 --count 24000 --output "$work/generated.jsonl"
[ -f "$work/tokenizer.json" ] || $run data tokenizer "$work/generated.jsonl" data/stories --vocab-size 4096 --output "$work/tokenizer.json"
$run data prepare "$work/generated.jsonl" data/stories --tokenizer "$work/tokenizer.json" --output "$work/rows" --length 2056

step() { # step NAME COMMAND...: runs it once, from its newest checkpoint on
  local folder="$work/$1"
  shift
  if [ -f "$folder/done" ]; then return; fi
  local resume=()
  if [ -d "$folder/checkpoints" ]; then resume=(--resume); fi
  $run "$@" --preprocessed "$work/rows" --output "$folder" --seed 1 "${resume[@]}"
  touch "$folder/done"
}

step base train base --tokenizer "$work/tokenizer.json" --steps 3600 --batch-size 8 --gradient-accumulation-steps 2 --lr 2e-3 --warmup 200 --save-every 100 --eval-every 300

$run pack --model "$work/base" --adapters "$work/router" --output pocket
