# Sourced by measure.sh and fidelity.sh, whose arguments it takes: MODEL and FOLDER. What is in the folder is not measured again.
# Makes the generated texts there. Needs `npm run build`.
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

measure() { # measure NAME FLAGS...: nothing is measured twice
  local file="$folder/$1.json"
  shift
  [ -s "$file" ] || { $run eval --model "$model" --quiet --json "$@" > "$file.part" && mv "$file.part" "$file"; }
}
