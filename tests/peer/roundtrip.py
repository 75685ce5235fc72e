"""The round trip: a stack is applied through the real AWS SDK against the emulator, and
boto3, which knows nothing of mlinfra, says what is there.

Usage: roundtrip.py MLINFRA STACK_FILE
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3

HERE = Path(__file__).parent
STACK = "quickstart"
ENV = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "MLINFRA_INPUT": "0",
}


def check(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}:\n  found  {found}\n  wanted {wanted}")
    print(f"  ok  {what}")


class Mlinfra:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def run(self, *args, code=0):
        done = subprocess.run(
            [self.binary, *args], cwd=self.folder, capture_output=True, text=True, timeout=300
        )
        print(f"$ mlinfra {' '.join(args)}\n  exit code {done.returncode}")
        if done.returncode != code:
            sys.exit(f"exit code {code} was wanted\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def changes(self):
        """What the plan would do: address, action."""
        lines = [json.loads(line) for line in self.run("plan", "--json").splitlines()]
        changes = [line["change"] for line in lines if line["type"] == "planned_change"]
        return {c["resource"]["addr"]: c["action"] for c in changes}


class Cloud:
    """What boto3 sees."""

    def __init__(self):
        names = ["ec2", "s3", "sqs", "iam"]
        self.ec2, self.s3, self.sqs, self.iam = (boto3.client(name) for name in names)
        self.ours = [{"Name": "tag:mlinfra:stack", "Values": [STACK]}]

    def buckets(self):
        return sorted(b["Name"] for b in self.s3.list_buckets()["Buckets"])

    def queues(self):
        urls = self.sqs.list_queues(MaxResults=100).get("QueueUrls", [])
        return {u.rsplit("/", 1)[1]: u for u in urls}

    def instances(self):
        alive = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        pages = self.ec2.describe_instances(Filters=self.ours + alive)["Reservations"]
        return [dict(i, batch=r["ReservationId"]) for r in pages for i in r["Instances"]]

    def count(self):
        """Every object of the stack, by kind."""
        e = self.ec2
        nat = e.describe_nat_gateways(Filters=self.ours)["NatGateways"]
        groups = e.describe_placement_groups(Filters=self.ours)["PlacementGroups"]
        endpoints = e.describe_vpc_endpoints(Filters=self.ours)["VpcEndpoints"]
        roles = [r for r in self.iam.list_roles(PathPrefix="/mlinfra/")["Roles"]]
        profiles = self.iam.list_instance_profiles(PathPrefix="/mlinfra/")["InstanceProfiles"]
        return {
            "vpc": len(e.describe_vpcs(Filters=self.ours)["Vpcs"]),
            "subnet": len(e.describe_subnets(Filters=self.ours)["Subnets"]),
            "gateway": len(e.describe_internet_gateways(Filters=self.ours)["InternetGateways"]),
            "address": len(e.describe_addresses(Filters=self.ours)["Addresses"]),
            "nat": len([n for n in nat if n["State"] not in ("deleting", "deleted")]),
            "table": len(e.describe_route_tables(Filters=self.ours)["RouteTables"]),
            "endpoint": len([x for x in endpoints if x["State"].lower() != "deleted"]),
            "group": len(e.describe_security_groups(Filters=self.ours)["SecurityGroups"]),
            "template": len(e.describe_launch_templates(Filters=self.ours)["LaunchTemplates"]),
            "placement": len(groups),
            "node": len(self.instances()),
            "bucket": len(self.buckets()),
            "queue": len(self.queues()),
            "role": len(roles),
            "profile": len(profiles),
        }


def check_buckets(cloud):
    names = ["quickstart-checkpoints-123456789012-us-east-1-an",
             "quickstart-datasets-123456789012-us-east-1-an"]
    check("buckets", cloud.buckets(), names)
    for name in names:
        s3 = cloud.s3
        check(f"versioning of {name}", s3.get_bucket_versioning(Bucket=name)["Status"], "Enabled")
        rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
        check("encryption", rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
        block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        check("public access block", set(block.values()), {True})
        owner = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
        check("ownership", owner, [{"ObjectOwnership": "BucketOwnerEnforced"}])
        policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"][0]
        check("TLS only", (policy["Effect"], policy["Condition"]),
              ("Deny", {"Bool": {"aws:SecureTransport": "false"}}))
        tags = {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
        check("team tag", tags["team"], "ml")
    rules = cloud.s3.get_bucket_lifecycle_configuration(Bucket=names[0])["Rules"]
    expire = [r for r in rules if "Expiration" in r]
    check("lifecycle", [(r["Filter"].get("Prefix"), r["Expiration"]["Days"]) for r in expire],
          [("tmp/", 14)])
    check("aborted uploads", {r["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
                              for r in rules if "AbortIncompleteMultipartUpload" in r}, {7})


def check_network(cloud):
    e = cloud.ec2
    vpc = e.describe_vpcs(Filters=cloud.ours)["Vpcs"][0]
    check("VPC", vpc["CidrBlock"], "10.20.0.0/16")
    for name in ("enableDnsSupport", "enableDnsHostnames"):
        found = e.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=name)
        check(name, found[name[0].upper() + name[1:]]["Value"], True)
    subnets = e.describe_subnets(Filters=cloud.ours)["Subnets"]
    check("subnets", sorted((s["CidrBlock"], s["AvailabilityZone"]) for s in subnets), [
        ("10.20.0.0/20", "us-east-1a"), ("10.20.128.0/24", "us-east-1a"),
        ("10.20.129.0/24", "us-east-1b"), ("10.20.16.0/20", "us-east-1b")])
    check("public addresses", {s["MapPublicIpOnLaunch"] for s in subnets}, {False})
    gateway = e.describe_internet_gateways(Filters=cloud.ours)["InternetGateways"][0]
    check("gateway", [a["VpcId"] for a in gateway["Attachments"]], [vpc["VpcId"]])
    nat = e.describe_nat_gateways(Filters=cloud.ours)["NatGateways"][0]
    address = e.describe_addresses(Filters=cloud.ours)["Addresses"][0]
    check("NAT", nat["NatGatewayAddresses"][0]["AllocationId"], address["AllocationId"])
    cidr = {s["SubnetId"]: s["CidrBlock"] for s in subnets}
    check("NAT stands in public-a", cidr[nat["SubnetId"]], "10.20.128.0/24")
    tables = e.describe_route_tables(Filters=cloud.ours)["RouteTables"]
    ways = {}
    for table in tables:
        out = [r.get("GatewayId") or r.get("NatGatewayId") for r in table["Routes"]
               if r.get("DestinationCidrBlock") == "0.0.0.0/0"]
        users = sorted(cidr[a["SubnetId"]] for a in table["Associations"] if "SubnetId" in a)
        ways[tuple(users)] = out
    check("routes", ways, {
        ("10.20.0.0/20", "10.20.16.0/20"): [nat["NatGatewayId"]],
        ("10.20.128.0/24", "10.20.129.0/24"): [gateway["InternetGatewayId"]]})
    endpoint = e.describe_vpc_endpoints(Filters=cloud.ours)["VpcEndpoints"][0]
    check("endpoint", (endpoint["ServiceName"], sorted(endpoint["RouteTableIds"])),
          ("com.amazonaws.us-east-1.s3", sorted(t["RouteTableId"] for t in tables)))


def check_queue(cloud):
    check("queues", sorted(cloud.queues()), ["quickstart-training", "quickstart-training-dead"])
    ask = lambda name: cloud.sqs.get_queue_attributes(
        QueueUrl=cloud.queues()[name], AttributeNames=["All"])["Attributes"]
    main, dead = ask("quickstart-training"), ask("quickstart-training-dead")
    check("redrive", json.loads(main["RedrivePolicy"]),
          {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 3})
    keys = ["VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled"]
    check("attributes", [main[k] for k in keys], ["1800", "1209600", "true"])


def check_cluster(cloud):
    e, name = cloud.ec2, "quickstart-train-us-east-1"
    group = e.describe_security_groups(Filters=cloud.ours)["SecurityGroups"][0]
    sides = lambda rules: sorted(
        [p["GroupId"] == group["GroupId"] for r in rules for p in r["UserIdGroupPairs"]]
        + [p["CidrIp"] for r in rules for p in r["IpRanges"]], key=str)
    check("ingress", sides(group["IpPermissions"]), [True])
    check("egress", sides(group["IpPermissionsEgress"]), ["0.0.0.0/0", True])
    role = cloud.iam.get_role(RoleName=name)["Role"]
    trust = role["AssumeRolePolicyDocument"]["Statement"]
    check("trust", [s["Principal"] for s in trust], [{"Service": "ec2.amazonaws.com"}])
    policy = cloud.iam.get_role_policy(RoleName=name, PolicyName="quickstart-data")
    actions = {a for s in policy["PolicyDocument"]["Statement"]
               for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    check("no wildcard rights", [a for a in actions if "*" in a], [])
    check("queue rights", "sqs:ReceiveMessage" in actions, True)
    managed = cloud.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    check("managed", [p["PolicyName"] for p in managed], ["AmazonSSMManagedInstanceCore"])
    profile = cloud.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    check("profile", [r["RoleName"] for r in profile["Roles"]], [name])
    template = e.describe_launch_templates(Filters=cloud.ours)["LaunchTemplates"][0]
    data = e.describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=["1"]
    )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    options = data["MetadataOptions"]
    check("IMDSv2", (options["HttpTokens"], options["HttpPutResponseHopLimit"]), ("required", 1))
    disk = data["BlockDeviceMappings"][0]["Ebs"]
    check("disk", (disk["Encrypted"], disk["VolumeSize"], disk["VolumeType"]), (True, 200, "gp3"))
    nodes = cloud.instances()
    check("nodes", [(n["InstanceType"], n["ImageId"]) for n in nodes],
          [("g5.8xlarge", "ami-0d1a0000000000001")] * 2)
    check("one zone", len({n["SubnetId"] for n in nodes}), 1)
    check("one launch", len({n["batch"] for n in nodes}), 1)
    # moto does not hand the template's profile on to instances: the template is asked.
    check("profile of the nodes", data["IamInstanceProfile"]["Arn"].rsplit("/", 1)[1], name)
    script = base64.b64decode(data["UserData"]).decode()
    vpc = e.describe_vpcs(Filters=cloud.ours)["Vpcs"][0]["VpcId"]
    check("set-up script", f"project=resnet vpc={vpc}" in script, True)


WANTED = {"vpc": 1, "subnet": 4, "gateway": 1, "address": 1, "nat": 1, "table": 2, "endpoint": 1,
          "group": 1, "template": 1, "placement": 1, "node": 2, "bucket": 2, "queue": 2,
          "role": 1, "profile": 1}


def by_hand(cloud):
    """Three changes that somebody makes at a console."""
    cloud.s3.put_bucket_versioning(
        Bucket="quickstart-datasets-123456789012-us-east-1-an",
        VersioningConfiguration={"Status": "Suspended"})
    group = cloud.ec2.describe_security_groups(Filters=cloud.ours)["SecurityGroups"][0]
    cloud.ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[{
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    cloud.sqs.set_queue_attributes(
        QueueUrl=cloud.queues()["quickstart-training"], Attributes={"VisibilityTimeout": "5"})


@contextlib.contextmanager
def emulated():
    """A folder beside an emulator that the environment leads to; both go afterwards."""
    folder = tempfile.mkdtemp()
    emulator = subprocess.Popen(
        [sys.executable, HERE / "emulator.py", "0"], stdout=subprocess.PIPE, text=True)
    try:
        port = emulator.stdout.readline().strip()
        for name in [n for n in os.environ if n.startswith(("AWS_", "MLINFRA_"))]:
            del os.environ[name]
        os.environ.update(ENV, AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}")
        yield folder
    finally:
        emulator.kill()
        emulator.wait()
        shutil.rmtree(folder)


def main():
    binary, stack = sys.argv[1], sys.argv[2]
    with emulated() as folder:
        shutil.copy(stack, folder)
        round_trip(Mlinfra(binary, folder), Cloud(), folder)


def round_trip(mlinfra, cloud, folder):
    mlinfra.run("plan", "--detailed-exitcode", code=2)
    mlinfra.run("apply", "--yes")
    mlinfra.run("plan", "--detailed-exitcode", code=0)
    check("exactly what is declared", cloud.count(), WANTED)
    for part in (check_buckets, check_network, check_queue, check_cluster):
        part(cloud)
    by_hand(cloud)
    check("the plan names exactly what was changed by hand", mlinfra.changes(), {
        "mlinfra_bucket.datasets": "update",
        "mlinfra_security_group.cluster_train_group": "update",
        "mlinfra_queue.training": "update"})
    mlinfra.run("apply", "--yes")
    for part in (check_buckets, check_network, check_queue, check_cluster):
        part(cloud)
    shutil.rmtree(Path(folder) / ".mlinfra")
    mlinfra.run("plan", "--detailed-exitcode", code=0)
    mlinfra.run("destroy", "--yes")
    check("nothing is left", cloud.count(), {kind: 0 for kind in WANTED})
    print("round trip: all of it holds")


if __name__ == "__main__":
    main()
