#!/usr/bin/env bash
# A VAE on SmolLM2-135M: scripts/smollm2/vae.sh MODEL.gguf [FOLDER]. Needs `npm ci && npm run build`. Every step goes on where it was stopped:
# run the script again. Short spans come first: behind a context a trained base guesses most of a long one, and then never learns to read z.
set -euo pipefail
model="$(realpath "$1")"
cd "$(dirname "$0")/../.."
run="${BIGVAE:-node dist/cli/main.js}"
work="${2:-runs/smollm2}"
mkdir -p "$work"

[ -f "$work/plain.jsonl" ] || $run data sentences --seed 1 --count 40000 --output "$work/plain.jsonl"
$run data prepare data/stories --tokenizer "$model" --output "$work/rows" --length 2056
$run data prepare "$work/plain.jsonl" data/stories --sentences --tokenizer "$model" --output "$work/sentences"

stage() { # stage NAME COMMAND FLAGS...
  local folder="$work/$1" command="$2"
  shift 2
  if [ -f "$folder/done" ]; then return; fi
  local resume=()
  if [ -d "$folder/checkpoints" ]; then resume=(--resume); fi
  $run train "$command" --model "$model" --preprocessed "$work/rows" --clip-norm 1 --lr 3e-4 "$@" --output "$folder" "${resume[@]}"
  touch "$folder/done"
}
alone=(--gap 0 --drop-prefix 1 --shifted-spans --encode-last --token-weights uniform --warmup 20 --save-every 25)
whole=("${alone[@]}" --span 64 --batch-size 8 --sentences "$work/sentences" --sentence-share 0.3 --lr-decay cosine --eval-every 100)

stage short vae "${alone[@]}" --span 8 --slots 32 --z-dim 1024 --rank 32 --alpha 32 --batch-size 24 --latent-noise 1 --noise-start 0.05 \
  --noise-ramp 8000 --kl-weight 0.01 --kl-ramp 8000 --steps "${STEPS:-400}" --eval-every 50 --seed 41
stage long vae "${whole[@]}" --start-from "$work/short" --short-spans 0.8 --latent-noise 0.2 --noise-start 0.1 --noise-ramp 800 \
  --kl-weight 0.01 --kl-ramp 4000 --steps "${STEPS:-560}" --seed 42
# Noise of 1 in the latents of the stage before, then latents packed more tightly; a base in int8.
stage noisy vae "${whole[@]}" --start-from "$work/long" --short-spans 0.5 --latent-noise 1 --noise-start 0.3 --noise-ramp 300 \
  --kl-weight 0.01 --kl-ramp 3000 --compute int8 --steps "${STEPS:-640}" --seed 43
stage packed vae "${whole[@]}" --start-from "$work/noisy" --short-spans 0.4 --latent-noise 1 \
  --kl-weight 0.004 --kl-ramp 300 --compute int8 --steps "${STEPS:-600}" --seed 45
stage router router --start-from "$work/packed" --span 64 --context-length 256 --index-step 64 --batch-size 4 --warmup 10 --lr-decay cosine \
  --compute int8 --steps "${STEPS:-400}" --save-every 25 --eval-every 100 --seed 44
