#!/usr/bin/env bash
# Short runs of the VAE by number of slots and values of z, all else alike, and their measures; scripts/fidelity.mjs writes them into
# docs/fidelity.md. Needs the rows of scripts/pocket.sh. Usage: scripts/shapes.sh [WORK [FOLDER]]; about a quarter of an hour on two threads of an AVX-512 machine.
set -euo pipefail
cd "$(dirname "$0")/.."
run="${BIGVAE:-node dist/cli/main.js}"
work="${1:-runs/pocket}"
folder="${2:-runs/measures/shapes}"
mkdir -p "$folder"

shape() { # shape NAME FLAGS...: 300 steps from nothing on the pocket's base
  local name="$1" output="$folder/$1"
  shift
  [ -s "$output/vae.safetensors" ] || $run train vae --model pocket/base --preprocessed "$work/rows-vae" --sentences "$work/sentences" --output "$output" \
    --span 64 --batch-size 32 --rank 64 --alpha 64 --gap 0 --drop-prefix 1 --shifted-spans --encode-last --short-spans 0.5 --sentence-share 0.4 \
    --token-weights uniform --kl-weight 0.006 --kl-ramp 180 --latent-noise 1 --noise-start 0.1 --noise-ramp 180 --lr 1.5e-3 --lr-decay cosine --warmup 30 \
    --clip-norm 1 --steps 300 --save-every 300 --eval-every 300 --seed 41 --quiet "$@"
  local model=(--model pocket/base --adapters "$output" --quiet --json)
  for span in 16 64; do
    [ -s "$folder/$name-$span.json" ] || $run eval "${model[@]}" --data data/stories --split test --count 20 --quick --span "$span" > "$folder/$name-$span.json"
  done
  [ -s "$folder/$name-plain.json" ] || $run eval "${model[@]}" --data data/plain-sentences.txt --measure sentences > "$folder/$name-plain.json"
  [ -s "$folder/$name-space.json" ] || $run eval "${model[@]}" --data data/stories --split test --count 20 --measure space --pairs 20 > "$folder/$name-space.json"
}
shape k16-z1024 --slots 16 --z-dim 1024
shape k32-z1024 --slots 32 --z-dim 1024
shape k64-z1024 --slots 64 --z-dim 1024
shape k32-z768 --slots 32 --z-dim 768
