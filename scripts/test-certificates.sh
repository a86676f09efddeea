#!/usr/bin/env bash
# Makes the certificates of test/fixtures/tls anew: a root, a server for localhost and 127.0.0.1, a client.
set -euo pipefail
cd "$(dirname "$0")/../test/fixtures/tls"
days=36500
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj '/CN=Raybridge test root' \
  -keyout ca.key -out ca.crt
for name in server client; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout $name.key -out $name.csr
  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days $days -out $name.crt \
    -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1')
done
rm -f ./*.csr ca.srl ca.key
