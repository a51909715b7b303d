#!/usr/bin/env bash
# Short runs of the VAE from the pocket, by noise and KL weight, and their measures; scripts/fidelity.mjs writes them into docs/fidelity.md. Needs the
# rows of scripts/pocket.sh. Usage: scripts/noise.sh [WORK [FOLDER]]; about a quarter of an hour on two threads of an AVX-512 machine.
set -euo pipefail
cd "$(dirname "$0")/.."
run="${BIGVAE:-node dist/cli/main.js}"
work="${1:-runs/pocket}"
folder="${2:-runs/measures/noise}"
mkdir -p "$folder"

noise() { # noise NAME NOISE KL-WEIGHT: 200 steps
  local name="$1" output="$folder/$1"
  [ -s "$output/vae.safetensors" ] || $run train vae --model pocket/base --start-from pocket --preprocessed "$work/rows-vae" --sentences "$work/sentences" --output "$output" \
    --span 64 --batch-size 32 --gap 0 --drop-prefix 1 --shifted-spans --encode-last --short-spans 0.35 --sentence-share 0.35 --token-weights uniform \
    --latent-noise "$2" --kl-weight "$3" --kl-ramp 1 --lr 6e-4 --lr-decay cosine --warmup 30 --clip-norm 1 --steps 200 --save-every 200 --eval-every 200 --seed 41 --quiet
  local model=(--model pocket/base --adapters "$output" --quiet --json --data data/stories --split test --count 20)
  [ -s "$folder/$name-64.json" ] || $run eval "${model[@]}" --quick --span 64 > "$folder/$name-64.json"
  [ -s "$folder/$name-blends.json" ] || $run eval "${model[@]}" --measure blends --pairs 20 --rule lerp > "$folder/$name-blends.json"
  [ -s "$folder/$name-space.json" ] || $run eval "${model[@]}" --measure space --pairs 20 > "$folder/$name-space.json"
}
noise noise-0.1 0.1 0.0005
noise noise-0.5 0.5 0.003
noise noise-1 1 0.012
noise noise-1-kl-0.04 1 0.04
