#!/bin/bash
# imds PATH: what the metadata service says, version 2; a path that is not there fails.
set -euo pipefail

at=${MLINFRA_IMDS:-http://169.254.169.254}
token=$(curl -sf --max-time 5 --retry 3 --retry-connrefused -X PUT "$at/latest/api/token" \
  -H "X-aws-ec2-metadata-token-ttl-seconds: 300")
curl -sf --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$at/latest/meta-data/$1"
