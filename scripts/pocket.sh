#!/usr/bin/env bash
# The pocket model from nothing: stories, tokenizer, base, VAE, router, all with this package. Needs `npm ci && npm run build`.
# Every step goes on where it was stopped: run the script again. About eight hours on two threads.
set -euo pipefail
cd "$(dirname "$0")/.."
run="${BIGVAE:-node dist/cli/main.js}"
work="${1:-runs/pocket}"
mkdir -p "$work"

[ -f "$work/generated.jsonl" ] || $run data stories --seed 1 --count 24000 --output "$work/generated.jsonl"
[ -f "$work/tokenizer.json" ] || $run data tokenizer "$work/generated.jsonl" data/stories --vocab-size 4096 --output "$work/tokenizer.json"
[ -f "$work/generated-2.jsonl" ] || $run data stories --seed 2 --count 18000 --output "$work/generated-2.jsonl"
prepare() { # prepare NAME INPUTS...: rows of tokens; nothing is done twice
  local rows="$work/$1"
  shift
  $run data prepare "$@" --tokenizer "$work/tokenizer.json" --output "$rows" --length 2056
}
prepare rows "$work/generated.jsonl" data/stories
prepare rows-2 "$work/generated-2.jsonl" data/stories/stories-001.jsonl.gz

step() { # step NAME COMMAND...: runs it once, from its newest checkpoint on
  local folder="$work/$1"
  shift
  if [ -f "$folder/done" ]; then return; fi
  local resume=()
  if [ -d "$folder/checkpoints" ]; then resume=(--resume); fi
  $run "$@" --output "$folder" "${resume[@]}"
  touch "$folder/done"
}

base() { # base NAME FLAGS...
  local name="$1"
  shift
  step "$name" train base --tokenizer "$work/tokenizer.json" --save-every 100 --eval-every 200 "$@"
}
base base --preprocessed "$work/rows" --steps 4900 --batch-size 8 --gradient-accumulation-steps 2 --lr 2e-3 --warmup 200
# Rows of 256 tokens are enough to learn most; the window of 512 is learned at the end, the generated text once more from new stories.
long=(--context 512 --batch-size 4 --gradient-accumulation-steps 2 --lr 4e-4 --warmup 20)
base base-512 --start-from "$work/base" --preprocessed "$work/rows" --steps 1500 --seed 2 "${long[@]}"
base base-last --start-from "$work/base-512" --preprocessed "$work/rows-2" --steps 700 --seed 3 "${long[@]}"

# Spans of 16 tokens for long, then 64 with as many short ones: short ones are learned first. All from z alone, right behind it.
vae() { # vae NAME SPAN STEPS FLAGS...
  local name="$1" span="$2" steps="$3"
  shift 3
  step "$name" train vae --model "$work/base-last" --preprocessed "$work/rows" --context "$span" --steps "$steps" --batch-size 32 \
    --rank 64 --alpha 64 --z-dim 256 --gap 0 --drop-prefix 1 --shifted-spans --encode-last --short-spans 0.3 --token-weights uniform \
    --kl-weight 0.0005 --kl-ramp 1 --latent-noise 0.1 --lr-decay cosine --warmup 30 --clip-norm 1 --save-every 100 --eval-every 250 "$@"
}
vae vae-16 16 2000 --lr 1.2e-3
vae vae-16-long 16 8000 --lr 8e-4 --seed 11 --start-from "$work/vae-16"
vae vae-64 64 2000 --lr 7e-4 --seed 12 --short-spans 0.5 --start-from "$work/vae-16-long"
vae vae-ends 64 600 --lr 4e-4 --seed 13 --short-spans 0.8 --start-from "$work/vae-64"
# A long stage at one rate, then one whose rate falls to nothing: what a falling rate gave is lost at the next start.
vae vae-32 32 3361 --lr 8e-4 --lr-decay constant --seed 21 --short-spans 0.5 --start-from "$work/vae-ends"
vae vae-all 64 3000 --lr 7e-4 --seed 22 --short-spans 0.7 --start-from "$work/vae-32"

step router train router --model "$work/base-last" --preprocessed "$work/rows" --start-from "$work/vae-all" --context 256 --vae-context 64 \
  --index-step 32 --steps 1400 --batch-size 8 --lr 1e-3 --lr-decay cosine --warmup 100 --clip-norm 1 --save-every 100 --eval-every 250

$run pack --model "$work/base-last" --adapters "$work/router" --output pocket
