#!/bin/sh
# Fetches the SMART client library that the tests put into the browser: the published bundle alone, pinned by version and hash.
# (npm install would bring some 700 packages of its build along.)
set -eu
version=2.6.3
sha512=CirZixcwWelbkIXxpxlNQx5+ZdJirl6F1s4y4yvA1X7hHAkr9n99aVHaMi0wX+97nATjKQ65X6NB5as/wZoJzg==
cd "$(dirname "$0")"
target=node_modules/fhirclient/build/fhir-client.js
[ -f "$target" ] && exit 0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack "fhirclient@$version" --silent --pack-destination "$folder" >/dev/null
archive="$folder/fhirclient-$version.tgz"
if [ "$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)" != "$sha512" ]; then
    echo "fhirclient $version is not the archive that was pinned." >&2
    exit 1
fi
mkdir -p node_modules/fhirclient
tar -xzf "$archive" -C node_modules/fhirclient --strip-components=1
