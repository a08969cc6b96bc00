#!/bin/sh
# Makes the pictures of docs/forecasting.md from a running demo that has written its past.
# BASE, CLIENT_ID and CLIENT_SECRET as in the guide; the pictures go beside this script.
set -eu
cd "$(dirname "$0")"
BASE=${BASE:-http://localhost:8080/fhir}
TOKEN_ENDPOINT=$(curl -sS --fail-with-body "$BASE/.well-known/smart-configuration" | sed -n 's/.*"token_endpoint": *"\([^"]*\)".*/\1/p')
TOKEN=$(curl -sS --fail-with-body -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials \
    --data-urlencode 'scope=system/*.rs' "$TOKEN_ENDPOINT" | sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p')
picture() { curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" -H 'Accept: image/svg+xml' "$BASE/$2" -o "$1.svg"; }
picture doctors 'Location/demo-site-berlin/$forecast?parts=practitioner&horizon=28'
picture house 'Location/demo-site-berlin/$forecast?granularity=week&horizon=84'
picture hours 'Schedule/demo-schedule-02/$forecast?granularity=hour&horizon=7'
