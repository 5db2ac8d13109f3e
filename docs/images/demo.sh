#!/bin/sh
# Takes docs/images/demo.png: the report of a run (default: that of `npm start`) in headless Chromium.
# Usage: sh docs/images/demo.sh [RUN]
set -eu
folder=$(realpath "$(dirname "$0")")
report=$(realpath -m "${1:-$folder/../../runs/demo-1}/report.html")
[ -f "$report" ] || { echo "there is no $report; run: npm start" >&2; exit 1; }
# Without its sandbox, which does not start as root; it opens nothing but our own file.
chromium --headless --no-sandbox --log-level=3 --hide-scrollbars --window-size=1100,1500 \
  --screenshot="$folder/demo.png" "file://$report"
