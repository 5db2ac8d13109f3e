#!/bin/sh
# Takes docs/images/console.png: a run (default: that of `npm start`) as `mpa console` shows it, in headless Chromium.
# Usage: sh docs/images/console.sh [RUN]
set -eu
folder=$(realpath "$(dirname "$0")")
run=$(realpath -m "${1:-$folder/../../runs/demo-1}")
[ -f "$run/summary.json" ] || { echo "there is no finished run in $run; run: npm start" >&2; exit 1; }
said=$(mktemp)
node "$folder/../../libs/cli/bin/mpa.js" console --runs "$(dirname "$run")" --port 0 >"$said" &
server=$!
trap 'kill $server; rm "$said"' EXIT
until address=$(grep -o 'http://[^ ]*' "$said"); do kill -0 $server; sleep 0.2; done
# Without its sandbox, which does not start as root; it opens nothing but our own page.
chromium --headless --no-sandbox --log-level=3 --hide-scrollbars --window-size=1100,1250 --virtual-time-budget=8000 \
  --screenshot="$folder/console.png" "${address}runs/$(basename "$run")"
