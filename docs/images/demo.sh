#!/bin/sh
# Takes docs/images/demo.png: the report of a run (default: that of `npm start`) in headless Chromium.
# Usage: sh docs/images/demo.sh [RUN]
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
report=$(cd "${1:-$folder/../../runs/demo-1}" && pwd)/report.html
[ -f "$report" ] || { echo "there is no $report; run: npm start" >&2; exit 1; }
chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,1500 \
  --screenshot="$folder/demo.png" "file://$report"
