#!/bin/sh
# Declares the history's tables before the first row: without, what begins at zero is cut to whole numbers.
#
# Needs CRATE and SERVICE in the environment. Tables that are there are left as they are.
set -eu

# QuantumLeap writes tenants in lower case.
service="$(printf %s "$SERVICE" | tr '[:upper:]' '[:lower:]')"
folder="$(dirname "$0")"

while read -r request; do
  printf %s "$request" | sed "s/@SERVICE@/$service/g" |
    curl --fail --silent --show-error --max-time 60 --output /dev/null \
      --header "Content-Type: application/json" --data @- "$CRATE/_sql"
done < "$folder/tables.jsonl"
echo "tables: declared"
