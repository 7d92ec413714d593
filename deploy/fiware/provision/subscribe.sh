#!/bin/sh
# Subscribes QuantumLeap to every entity type in TYPES, once: one that is there is kept, whatever it calls QuantumLeap.
#
# Needs BROKER, NOTIFY, SERVICE, SERVICE_PATH and TYPES in the environment.
set -eu

ask() {
  curl --fail --silent --show-error --max-time 20 \
    --header "Fiware-Service: $SERVICE" --header "Fiware-ServicePath: $SERVICE_PATH" "$@"
}

# A subscription a line: each begins with its id of 24 digits.
known="$(ask "$BROKER/v2/subscriptions?limit=1000" | sed 's/{"id":"[0-9a-f]\{24\}"/\
&/g')"
for type in $TYPES; do
  # The broker would create a second one without a word, and every row would be doubled.
  if printf '%s\n' "$known" | grep -F "\"type\":\"$type\"" | grep -q '/v2/notify"'; then
    echo "$type: subscribed already"
    continue
  fi
  ask --header "Content-Type: application/json" --data @- "$BROKER/v2/subscriptions" <<JSON
{
  "description": "$type to QuantumLeap",
  "subject": {"entities": [{"idPattern": ".*", "type": "$type"}]},
  "notification": {
    "http": {"url": "$NOTIFY"},
    "metadata": ["dateCreated", "dateModified", "*"]
  }
}
JSON
  echo "$type: subscribed"
done
