#!/usr/bin/env bash
# A small run on a real AWS account: two buckets, a queue and a network without NAT
# gateway; no instances. What it makes costs nothing while it stands (an empty bucket, a
# VPC, subnets, a gateway endpoint and an idle queue are free of charge); requests cost
# less than a cent. It refuses to go on when the plan holds anything that costs by the hour.
#
# This script has been written for whoever has an account. The project's own machines
# have none: it has not been run there.
set -euo pipefail
cap_usd=${MLINFRA_SMOKE_CAP_USD:-0.10}
region=${AWS_REGION:?set AWS_REGION}
mlinfra=${MLINFRA:-mlinfra}
dir=$(mktemp -d)
cd "$dir"
name="smoke-$(date +%s)"
cat > main.hcl <<HCL
stack "$name" {
  region = "$region"
}

bucket "a" {
  precious = false
}

bucket "b" {
  precious   = false
  versioning = false
}

queue "q" {}

network "n" {
  nat = "none"
}
HCL
echo "A smoke test in $region; what it makes must cost less than \$$cap_usd."
"$mlinfra" plan
# Kinds that cost by the hour must not be in the plan.
"$mlinfra" plan --json | python3 -c '
import json, sys
cap = float(sys.argv[1])
hourly = {"mlinfra_nat_gateway": 0.045, "mlinfra_elastic_ip": 0.005, "mlinfra_node": 100.0}
lines = [json.loads(line) for line in sys.stdin]
changes = [line["change"]["resource"] for line in lines if line["type"] == "planned_change"]
cost = sum(hourly.get(c["resource_type"], 0) for c in changes)
print(f"by the hour: ${cost:.3f}")
sys.exit(cost > cap)
' "$cap_usd"
trap '"$mlinfra" destroy --yes || echo "NOT DESTROYED: run mlinfra destroy in $dir"' EXIT
"$mlinfra" apply --yes
"$mlinfra" plan --detailed-exitcode
echo "A second plan is empty. Taking everything away again."
