#!/bin/sh
# Makes nginx's configuration for docker-compose.yml out of fhir.conf beside this file (other names, ports above 1024, no file to write
# but in /tmp) and runs nginx with it. API_HOSTS names the processes. Arguments go to nginx: -t only looks at the configuration.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${TMPDIR:-/tmp}
secrets=${SECRETS:-/run/secrets}
upstreams=''
for host in $API_HOSTS; do
    upstreams="$upstreams    server $host:8080 max_fails=1 fail_timeout=2s;\\
"
done
sed -e "/^upstream /a\\
$upstreams
" -e '/^ *server fhir-api-/d' \
    -e 's/listen 80;/listen 8080;/; s/listen \[::\]:80;/listen [::]:8080;/' \
    -e 's/listen 443 /listen 8443 /; s/listen \[::\]:443 /listen [::]:8443 /' \
    -e 's/server_name [^;]*;/server_name localhost;/' \
    -e "s|ssl_certificate [^;]*;|ssl_certificate $secrets/tls_certificate;|; s|ssl_certificate_key [^;]*;|ssl_certificate_key $secrets/tls_key;|" \
    -e 's|access_log /[^ ;]*|access_log /dev/stdout|; s|error_log /[^ ;]*|error_log /dev/stderr|' \
    "$here/fhir.conf" > "$folder/fhir.conf"
cat > "$folder/nginx.conf" <<END
worker_processes auto;
pid $folder/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 4096; }
http {
    client_body_temp_path $folder/client;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    include $folder/fhir.conf;
}
END
exec nginx -c "$folder/nginx.conf" -g 'daemon off;' "$@"
