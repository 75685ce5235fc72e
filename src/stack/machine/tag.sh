#!/bin/bash
# tag KEY=VALUE...: tags this instance. Its role lets it tag no other.
set -euo pipefail

id=$(imds instance-id)
region=$(imds placement/region)
if command -v aws >/dev/null; then
  tags=()
  for pair in "$@"; do tags+=("Key=${pair%%=*},Value=${pair#*=}"); done
  exec aws ec2 create-tags --region "$region" --resources "$id" --tags "${tags[@]}"
fi

# An image without the AWS CLI: curl signs as well.
role=$(imds iam/security-credentials/)
given=$(imds "iam/security-credentials/$role")
field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" <<<"$given"; }
form=(--data-urlencode "Action=CreateTags" --data-urlencode "Version=2016-11-15"
  --data-urlencode "ResourceId.1=$id")
n=0
for pair in "$@"; do
  n=$((n + 1))
  form+=(--data-urlencode "Tag.$n.Key=${pair%%=*}" --data-urlencode "Tag.$n.Value=${pair#*=}")
done
# Credentials go through a file that only curl reads: arguments show in the process list.
curl -sf --max-time 20 --retry 3 --aws-sigv4 "aws:amz:$region:ec2" "${form[@]}" \
  --config - "${AWS_ENDPOINT_URL:-https://ec2.$region.amazonaws.com}/" >/dev/null <<END
user = "$(field AccessKeyId):$(field SecretAccessKey)"
header = "x-amz-security-token: $(field Token)"
END
