#!/bin/sh
# Makes every secret that docker-compose.yml names, as a file of deploy/secrets (or of the folder given). What is there already stays.
# The folder is closed to other users of this machine; the files in it are not, so that the containers' own users can read them.
set -eu
cd "$(dirname "$0")"
folder=${1:-secrets}
umask 077
mkdir -p "$folder"
cd "$folder"

make_file() { # NAME, and its content on standard input; appears whole or not at all
    if [ -e "$1" ]; then
        cat > /dev/null
        return
    fi
    cat > "$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
}

password() { openssl rand -hex 24 | tr -d '\n'; }

openssl rand -base64 756 | make_file mongo_keyfile
password | make_file mongo_root_password
password | make_file mongo_fhir_password
password | make_file redis_password
password | make_file Events__Kafka__SaslPassword
password | make_file Auth__Clients__0__ClientSecret
printf 'mongodb://fhir:%s@mongo1:27017,mongo2:27017,mongo3:27017/fhir?replicaSet=rs0&authSource=fhir' "$(cat mongo_fhir_password)" |
    make_file Storage__MongoDb__ConnectionString
printf 'sentinel1:26379,sentinel2:26379,sentinel3:26379,serviceName=fhir,password=%s' "$(cat redis_password)" |
    make_file Cache__Redis__Configuration

# A certificate that only this machine trusts, and only when told to. Put one that clients trust in its place.
if [ ! -e tls_certificate ] || [ ! -e tls_key ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout tls_key.new -out tls_certificate.new 2>/dev/null
    chmod 444 tls_key.new tls_certificate.new
    mv tls_key.new tls_key
    mv tls_certificate.new tls_certificate
fi
echo "Secrets are in $(pwd). Keep a copy in a safe place; whoever has them has the database, but not the master key."
