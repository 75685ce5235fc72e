#!/bin/bash
# service start: begins what this machine is for. service run: what its unit runs, so that
# all it says stands in the journal of mlinfra-service. /etc/mlinfra/service says what it is.
# What it sources is written by `mlinfra apply`.
# shellcheck disable=SC2154
set -euo pipefail

lib=${MLINFRA_LIB:-/usr/local/lib/mlinfra}
etc=${MLINFRA_ETC:-/etc/mlinfra}
PATH=$lib:$PATH
set -a
# shellcheck disable=SC1091
. "$etc/env"
set +a
# shellcheck disable=SC1091
. "$etc/service"
: "${image:=}" "${user:=}"

if [ "${1:-}" = start ]; then
  if [ ${#secrets[@]} -gt 0 ]; then cli; fi
  systemctl daemon-reload
  systemctl restart --no-block mlinfra-service
  exit 0
fi

# Secrets stand in the environment of this process and in no file.
secret() {
  case $1 in
  ssm:*)
    aws ssm get-parameter --region "$AWS_REGION" --with-decryption --name "${1#ssm:}" \
      --query Parameter.Value --output text
    ;;
  secretsmanager:*)
    aws secretsmanager get-secret-value --region "$AWS_REGION" \
      --secret-id "${1#secretsmanager:}" --query SecretString --output text
    ;;
  esac
}

names=()
for pair in "${env[@]}"; do
  export "${pair?}"
  names+=("${pair%%=*}")
done
for pair in "${secrets[@]}"; do
  name=${pair%%=*}
  value=$(secret "${pair#*=}") || {
    echo "the secret for $name cannot be read from ${pair#*=}"
    exit 1
  }
  export "$name=$value"
  names+=("$name")
done
unset value pair

if [ -z "$image" ]; then
  if [ -n "$user" ]; then
    exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "${command[@]}"
  fi
  exec "${command[@]}"
fi

# Images of the account are pulled with the rights of the machine.
host=${image%%/*}
case $host in
*.dkr.ecr.*.amazonaws.com | *.dkr.ecr.*.amazonaws.com.cn)
  cli
  region=${host#*.dkr.ecr.}
  aws ecr get-login-password --region "${region%%.*}" |
    docker login --username AWS --password-stdin "$host" >/dev/null
  ;;
esac
docker pull --quiet "$image"
docker rm --force mlinfra-service >/dev/null 2>&1 || true
# The machine's own network: the container has its ports and, with one hop, its rights.
arguments=(--rm --name mlinfra-service --network host --log-driver none)
for name in AWS_REGION "${names[@]}"; do arguments+=(--env "$name"); done
for folder in "${folders[@]}"; do arguments+=(--volume "$folder:$folder"); done
if command -v nvidia-smi >/dev/null; then arguments+=(--gpus all); fi
exec docker run "${arguments[@]}" "$image" "${command[@]}"
