#!/usr/bin/env bash
# What int8 costs a training: scripts/int8Loss.sh MODEL FOLDER [FLAGS...] trains a VAE on MODEL twice for 1,000 steps from the same seed, in fp32 and in int8, and
# prints the held-out losses of both. Needs `npm ci && npm run build`. Goes on where it was stopped: run it again.
set -euo pipefail
model="$1"
work="$2"
shift 2
here="$(dirname "$0")/.."
run="${BIGVAE:-node $here/dist/cli/main.js}"
mkdir -p "$work"
$run data prepare "$here/data/stories" --tokenizer "$model" --output "$work/rows" --length 2056
for compute in fp32 int8; do
  folder="$work/$compute"
  resume=()
  if [ -d "$folder/checkpoints" ]; then resume=(--resume); fi
  [ -f "$folder/done" ] || $run train vae --model "$model" --preprocessed "$work/rows" --span 32 --slots 16 --z-dim 512 --batch-size 8 --lr 3e-4 --warmup 20 \
    --clip-norm 1 --steps 1000 --save-every 50 --eval-every 250 --seed 51 --compute "$compute" --output "$folder" "$@" "${resume[@]}"
  touch "$folder/done"
done
node "$here/scripts/int8Loss.mjs" "$work/fp32" "$work/int8"
