#!/bin/sh
# Writes the configuration of a Kafka process with its password and starts it: a password on the command line could be read by anyone who
# lists processes. Each process is a broker and a member of the controllers' quorum (KRaft; there is no ZooKeeper).
# In the environment: KAFKA_NODE, its number; KAFKA_HOST, its name; KAFKA_COPIES, of each partition; KAFKA_VOTERS, N@HOST:9093 of every process.
set -eu
umask 077
PATH=$PATH:/opt/kafka/bin
password=$(cat "${SECRETS:-/run/secrets}/Events__Kafka__SaslPassword")
config=${TMPDIR:-/tmp}/kafka.properties
module=org.apache.kafka.common.security.plain.PlainLoginModule
{
    echo "process.roles=broker,controller"
    echo "node.id=$KAFKA_NODE"
    echo "controller.quorum.voters=$KAFKA_VOTERS"
    echo "listeners=BROKER://:9092,CONTROLLER://:9093"
    echo "advertised.listeners=BROKER://$KAFKA_HOST:9092"
    echo "listener.security.protocol.map=BROKER:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
    echo "controller.listener.names=CONTROLLER"
    echo "inter.broker.listener.name=BROKER"
    echo "sasl.enabled.mechanisms=PLAIN"
    echo "sasl.mechanism.inter.broker.protocol=PLAIN"
    echo "sasl.mechanism.controller.protocol=PLAIN"
    for listener in broker controller; do
        echo "listener.name.$listener.plain.sasl.jaas.config=$module required username=\"kafka\" password=\"$password\" user_kafka=\"$password\" user_fhir=\"$password\";"
    done
    echo "log.dirs=${KAFKA_DATA:-/var/lib/kafka/data}"
    # Topics are made by the server, with as many partitions as it needs for ever.
    echo "auto.create.topics.enable=false"
    # A message counts as written once all copies but one have it: one broker may be lost and nothing is.
    echo "default.replication.factor=$KAFKA_COPIES"
    echo "min.insync.replicas=$((KAFKA_COPIES > 1 ? KAFKA_COPIES - 1 : 1))"
    echo "unclean.leader.election.enable=false"
    echo "offsets.topic.replication.factor=$KAFKA_COPIES"
    echo "transaction.state.log.replication.factor=$KAFKA_COPIES"
    echo "transaction.state.log.min.isr=$((KAFKA_COPIES > 1 ? KAFKA_COPIES - 1 : 1))"
} > "$config"
# The same for every process of the cluster; what is formatted already stays.
kafka-storage.sh format --cluster-id Zmhpci1zZXJ2ZXIta2Fmaw --config "$config" --ignore-formatted
exec kafka-server-start.sh "$config"
