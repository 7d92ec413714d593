#!/bin/sh
# Subscribes QuantumLeap to every entity type in TYPES, once: one that is there is kept.
#
# Needs BROKER, NOTIFY, SERVICE, SERVICE_PATH and TYPES in the environment.
set -eu

ask() {
  curl --fail --silent --show-error --max-time 20 \
    --header "Fiware-Service: $SERVICE" --header "Fiware-ServicePath: $SERVICE_PATH" "$@"
}

known="$(ask "$BROKER/v2/subscriptions?limit=1000")"
for type in $TYPES; do
  description="$type to QuantumLeap"
  # The broker would create an equal one without a word, and every row would be doubled.
  case "$known" in
    *"\"$description\""*)
      echo "$type: subscribed already"
      continue
      ;;
  esac
  ask --header "Content-Type: application/json" --data @- "$BROKER/v2/subscriptions" <<JSON
{
  "description": "$description",
  "subject": {"entities": [{"idPattern": ".*", "type": "$type"}]},
  "notification": {
    "http": {"url": "$NOTIFY"},
    "metadata": ["dateCreated", "dateModified", "*"]
  }
}
JSON
  echo "$type: subscribed"
done
