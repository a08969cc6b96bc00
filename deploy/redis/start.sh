#!/bin/sh
# Writes the configuration of a Redis process with its password and starts it: a password on the command line could be read by
# anyone who lists processes. Usage: start.sh master|replica|sentinel, with REDIS_HOST and REDIS_PORT in the environment.
set -eu
umask 077
password=$(cat "${SECRETS:-/run/secrets}/redis_password")
config=${TMPDIR:-/tmp}/redis.conf
common() {
    echo "port $REDIS_PORT"
    echo "requirepass $password"
    echo "protected-mode yes"
}
case $1 in
master | replica)
    {
        common
        echo "masterauth $password"
        echo "replica-announce-ip $REDIS_HOST"
        # A cache: nothing is kept on a disk, and what is old makes room.
        echo 'save ""'
        echo "appendonly no"
        echo "maxmemory 256mb"
        echo "maxmemory-policy allkeys-lru"
        if [ "$1" = replica ]; then
            echo "replicaof redis1 6379"
        fi
    } > "$config"
    exec redis-server "$config"
    ;;
sentinel)
    {
        common
        echo "sentinel resolve-hostnames yes"
        echo "sentinel announce-hostnames yes"
        echo "sentinel announce-ip $REDIS_HOST"
        echo "sentinel monitor fhir redis1 6379 2"
        echo "sentinel auth-pass fhir $password"
        echo "sentinel sentinel-pass $password"
        echo "sentinel down-after-milliseconds fhir 5000"
        echo "sentinel failover-timeout fhir 30000"
        echo "sentinel parallel-syncs fhir 1"
    } > "$config"
    exec redis-sentinel "$config"
    ;;
*)
    echo "Usage: start.sh master|replica|sentinel" >&2
    exit 2
    ;;
esac
