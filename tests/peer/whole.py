"""The whole language: a stack with every block is applied through the real AWS SDK against the
emulator, looked at by boto3, which knows nothing of mlinfra, changed once in every kind of block,
rolled, mended, and destroyed.

What the emulator cannot show (placement groups, EFA, throughput of disks, FSx) is checked in what
was sent, by botocore's own models: validate_request.py for forms, fsx.py for FSx.

Usage: whole.py MLINFRA STACK_FILE
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import boto3

from roundtrip import ENV, HERE, Mlinfra, check

STACK = "whole"
OURS = [{"Name": "tag:mlinfra:stack", "Values": [STACK]}]
SECRET = "hunter2-never-written"
NAME = "mlflow.whole.internal."


def tags(found):
    return {t["Key"]: t["Value"] for t in found}


class Cloud:
    """What boto3 sees."""

    def __init__(self):
        for name in ("ec2", "s3", "sqs", "iam", "efs", "fsx", "route53", "ssm"):
            setattr(self, name, boto3.client(name))

    def instances(self, address=None):
        alive = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        pages = self.ec2.describe_instances(Filters=OURS + alive)["Reservations"]
        found = [i for page in pages for i in page["Instances"]]
        return [i for i in found
                if address is None or tags(i["Tags"])["mlinfra:address"] == address]

    def group(self, address):
        found = self.ec2.describe_security_groups(Filters=OURS)["SecurityGroups"]
        return next(g for g in found if tags(g["Tags"])["mlinfra:address"] == address)

    def volumes(self):
        found = self.ec2.describe_volumes(Filters=OURS)["Volumes"]
        return [v for v in found if tags(v["Tags"]).get("mlinfra:address", "").startswith("volume.")]

    def volume(self, address):
        return next(v for v in self.volumes() if tags(v["Tags"])["mlinfra:address"] == address)

    def template(self, address):
        """What the machines of a block would be made of, and what they would run."""
        found = self.ec2.describe_launch_templates(Filters=OURS)["LaunchTemplates"]
        one = next(t for t in found if tags(t["Tags"])["mlinfra:address"] == address)
        data = self.ec2.describe_launch_template_versions(
            LaunchTemplateId=one["LaunchTemplateId"], Versions=["1"])
        data = data["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        return data, unpacked(data)

    def zones(self):
        return self.route53.list_hosted_zones()["HostedZones"]

    def record(self):
        zone = self.zones()[0]["Id"]
        sets = self.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        found = [s for s in sets if s["Name"] == NAME]
        return found[0] if found else None

    def count(self):
        """Every object that a stack can have, by kind; what others made is not counted."""
        e = self.ec2
        ours = lambda found: [x for x in found if tags(x["Tags"]).get("mlinfra:stack") == STACK]
        nat = e.describe_nat_gateways(Filters=OURS)["NatGateways"]
        ends = e.describe_vpc_endpoints(Filters=OURS)["VpcEndpoints"]
        return {
            "vpc": len(e.describe_vpcs(Filters=OURS)["Vpcs"]),
            "subnet": len(e.describe_subnets(Filters=OURS)["Subnets"]),
            "gateway": len(e.describe_internet_gateways(Filters=OURS)["InternetGateways"]),
            "address": len(e.describe_addresses(Filters=OURS)["Addresses"]),
            "nat": len([n for n in nat if n["State"] not in ("deleting", "deleted")]),
            "table": len(e.describe_route_tables(Filters=OURS)["RouteTables"]),
            "endpoint": len([x for x in ends if x["State"].lower() != "deleted"]),
            "group": len(e.describe_security_groups(Filters=OURS)["SecurityGroups"]),
            "template": len(e.describe_launch_templates(Filters=OURS)["LaunchTemplates"]),
            "node": len(self.instances()),
            "volume": len(self.volumes()),
            "bucket": len([b for b in self.s3.list_buckets()["Buckets"]
                           if b["Name"].startswith(("whole-", "acme-whole-"))]),
            "queue": len(self.sqs.list_queues(MaxResults=100).get("QueueUrls", [])),
            "role": len(self.iam.list_roles(PathPrefix="/mlinfra/")["Roles"]),
            "profile": len(self.iam.list_instance_profiles(
                PathPrefix="/mlinfra/")["InstanceProfiles"]),
            "efs": len(ours(self.efs.describe_file_systems()["FileSystems"])),
            "lustre": len(self.fsx.describe_file_systems()["FileSystems"]),
            "association": len(self.fsx.describe_data_repository_associations()["Associations"]),
            "zone": len(self.zones()),
        }


WANTED = {"vpc": 1, "subnet": 4, "gateway": 1, "address": 1, "nat": 1, "table": 2, "endpoint": 1,
          "group": 10, "template": 8, "node": 6, "volume": 2, "bucket": 4, "queue": 4, "role": 8,
          "profile": 8, "efs": 1, "lustre": 1, "association": 1, "zone": 1}


def before(cloud):
    """What somebody else has made, and the stack looks up."""
    vpc = cloud.ec2.create_vpc(CidrBlock="10.90.0.0/16")["Vpc"]["VpcId"]
    cloud.ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "shared"}])
    for number, zone in enumerate("ab"):
        subnet = cloud.ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.90.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
        cloud.ec2.create_tags(Resources=[subnet["Subnet"]["SubnetId"]],
                              Tags=[{"Key": "tier", "Value": "private"}])
    cloud.s3.create_bucket(Bucket="acme-corpus")
    cloud.ssm.put_parameter(Name="/whole/database", Value=SECRET, Type="SecureString")


class Machines(threading.Thread):
    """The machines of the service say how they are, as their own timer would. Those of a release
    that is named here are ill."""

    def __init__(self, cloud):
        super().__init__(daemon=True)
        self.cloud, self.ill, self.told = cloud, None, set()

    def run(self):
        while True:
            try:
                self.look()
            except Exception as error:  # the emulator ends before this thread does
                print(f"  machines: {error}", file=sys.stderr)
            time.sleep(1)

    def look(self):
        services = ("service.mlflow/nodes", "service.db/nodes")
        for machine in [m for at in services for m in self.cloud.instances(at)]:
            id = machine["InstanceId"]
            if id in self.told or machine["State"]["Name"] != "running":
                continue
            self.told.add(id)
            ill = self.ill is not None and self.ill in user_data(self.cloud, machine)
            state = "unhealthy" if ill else "ready"
            reason = "health: /health on port 5000 answers 503" if ill else ""
            self.cloud.ec2.create_tags(Resources=[id], Tags=[
                {"Key": "mlinfra:state", "Value": state},
                {"Key": "mlinfra:reason", "Value": reason}])


def template_of(cloud, machine):
    id = tags(machine["Tags"])["mlinfra:template"]
    versions = cloud.ec2.describe_launch_template_versions(LaunchTemplateId=id, Versions=["1"])
    return versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]


def user_data(cloud, machine):
    return unpacked(template_of(cloud, machine))


def unpacked(template):
    import gzip
    data = base64.b64decode(template["UserData"])
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()


def check_tags(cloud):
    found = [t for kind in (cloud.ec2.describe_vpcs(Filters=OURS)["Vpcs"],
                            cloud.ec2.describe_subnets(Filters=OURS)["Subnets"],
                            cloud.ec2.describe_security_groups(Filters=OURS)["SecurityGroups"],
                            cloud.ec2.describe_launch_templates(Filters=OURS)["LaunchTemplates"],
                            cloud.instances(), cloud.volumes()) for t in kind]
    check("everything says whose it is", {tags(x["Tags"])["team"] for x in found}, {"ml"})
    check("and why", all({"mlinfra:address", "mlinfra:intent"} <= set(tags(x["Tags"]))
                         for x in found), True)
    zone = cloud.zones()[0]["Id"].rsplit("/", 1)[1]
    own = cloud.route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone)
    own = tags(own["ResourceTagSet"]["Tags"])
    check("the zone too", (own["mlinfra:stack"], own["mlinfra:address"], own["team"]),
          (STACK, "network.main/zone", "ml"))


def check_storage(cloud, changed):
    for bucket in ("whole-datasets-images", "whole-datasets-text"):
        name = f"{bucket}-123456789012-us-east-1-an"
        status = cloud.s3.get_bucket_versioning(Bucket=name)["Status"]
        check(f"versioning of {name}", status, "Suspended" if changed else "Enabled")
        block = cloud.s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        check("public access block", set(block.values()), {True})
    logs = "whole-store-logs-123456789012-us-east-1-an"
    rules = cloud.s3.get_bucket_lifecycle_configuration(Bucket=logs)["Rules"]
    days = [r["Expiration"]["Days"] for r in rules if "Expiration" in r]
    check("the module's bucket expires", days, [30 if changed else 14])
    volume = cloud.volume("volume.state")
    check("volume", (volume["Size"], volume["Encrypted"], volume["AvailabilityZone"]),
          (20 if changed else 10, True, "us-east-1a"))
    efs = cloud.efs.describe_file_systems()["FileSystems"][0]
    check("EFS", (efs["Encrypted"], tags(efs["Tags"])["owner"]),
          (True, "platform" if changed else "research"))
    targets = cloud.efs.describe_mount_targets(FileSystemId=efs["FileSystemId"])["MountTargets"]
    check("a target in each zone", len({t["SubnetId"] for t in targets}), 2)
    lustre = cloud.fsx.describe_file_systems()["FileSystems"][0]
    own = lustre["LustreConfiguration"]
    check("Lustre", (lustre["StorageCapacity"], own["DeploymentType"],
                     own["PerUnitStorageThroughput"]),
          (1200, "PERSISTENT_2", 250 if changed else 125))
    tie = cloud.fsx.describe_data_repository_associations()["Associations"][0]
    check("its bucket", tie["DataRepositoryPath"],
          "s3://whole-datasets-images-123456789012-us-east-1-an")


def ports(rules):
    return sorted((r.get("FromPort", -1), r.get("ToPort", -1), x.get("CidrIp") or x["GroupId"])
                  for r in rules for x in r["IpRanges"] + r["UserIdGroupPairs"])


def check_firewalls(cloud):
    nodes = cloud.group("cluster.train/group")
    lustre = ports(cloud.group("filesystem.scratch/group")["IpPermissions"])
    check("Lustre lets the nodes in", (988, 988, nodes["GroupId"]) in lustre, True)
    efs = ports(cloud.group("filesystem.home/group")["IpPermissions"])
    check("EFS lets the nodes in", efs, [(2049, 2049, nodes["GroupId"])])
    service = cloud.group("service.mlflow/group")
    check("the service has its port open to its network", ports(service["IpPermissions"]),
          [(5000, 5000, "10.60.0.0/16")])
    every = cloud.ec2.describe_security_groups(Filters=OURS)["SecurityGroups"]
    wide = [x for g in every for x in ports(g["IpPermissions"]) if x[2] == "0.0.0.0/0"]
    check("nothing is open to the world", wide, [])


def policy(cloud, role):
    found = cloud.iam.get_role_policy(RoleName=f"whole-{role}-us-east-1", PolicyName="whole-data")
    return found["PolicyDocument"]["Statement"]


def allowed(statements):
    as_list = lambda x: [x] if isinstance(x, str) else x
    return {(a, r) for s in statements for a in as_list(s["Action"]) for r in as_list(s["Resource"])}


def check_rights(cloud):
    train, served = allowed(policy(cloud, "train")), allowed(policy(cloud, "mlflow"))
    text = "arn:aws:s3:::whole-datasets-text-123456789012-us-east-1-an/*"
    check("nodes read what they mount", ("s3:GetObject", text) in train, True)
    check("and do not write it", ("s3:PutObject", text) in train, False)
    check("they read what was looked up", ("s3:GetObject", "arn:aws:s3:::acme-corpus/*") in train,
          True)
    check("the service writes it", ("s3:PutObject", text) in served, True)
    parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/whole/database"
    check("the service reads its secret", {r for a, r in served if a == "ssm:GetParameter"},
          {parameter})
    decrypt = next(s for s in policy(cloud, "mlflow") if s["Action"] == "kms:Decrypt")
    check("decrypted on that way alone", decrypt["Condition"], {
        "StringEquals": {"kms:ViaService": "ssm.us-east-1.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:PARAMETER_ARN": [parameter]}})
    attach = [s for s in policy(cloud, "head") if "ec2:AttachVolume" in s["Action"]]
    check("the head attaches its volume alone", sorted(
        s["Condition"]["StringEquals"]["aws:ResourceTag/mlinfra:address"][0] for s in attach),
        ["cluster.head/nodes", "volume.state"])
    everything = [a for a, r in train | served if "*" in a]
    check("no wildcard rights", everything, [])


def check_nodes(cloud, changed):
    train = cloud.instances("cluster.train/nodes")
    check("nodes", [n["InstanceType"] for n in train], ["g5.xlarge"] * (3 if changed else 2))
    check("on spot", {n.get("InstanceLifecycle") for n in train}, {"spot"})
    check("nobody has a public address", [n["PublicIpAddress"] for n in cloud.instances()
                                          if n.get("PublicIpAddress")], [])
    data = template_of(cloud, train[0])
    options = data["MetadataOptions"]
    check("IMDSv2", (options["HttpTokens"], options["HttpPutResponseHopLimit"]), ("required", 1))
    check("disks are encrypted", {
        template_of(cloud, n)["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]
        for n in cloud.instances()}, {True})
    script = user_data(cloud, train[0])
    lustre = cloud.fsx.describe_file_systems()["FileSystems"][0]["FileSystemId"]
    efs = cloud.efs.describe_file_systems()["FileSystems"][0]["FileSystemId"]
    for line in (f"lustre\t{lustre}\t/fast\trw", f"efs\t{efs}\t/home\trw",
                 "s3\twhole-datasets-text-123456789012-us-east-1-an\t/data\tro"):
        check(f"mount {line!r}", line in script, True)
    check("the autoscaler's nodes are left to it", cloud.instances("cluster.guest/nodes"), [])


def check_service(cloud, release):
    machines = cloud.instances("service.mlflow/nodes")
    check("machines", [m["InstanceType"] for m in machines], ["t3.large"] * 2)
    zone = cloud.zones()[0]
    check("private zone", (zone["Name"], zone["Config"]["PrivateZone"]), ("whole.internal.", True))
    vpcs = cloud.route53.get_hosted_zone(Id=zone["Id"])["VPCs"]
    vpc = cloud.ec2.describe_vpcs(Filters=OURS)["Vpcs"][0]["VpcId"]
    check("of its network", vpcs, [{"VPCRegion": "us-east-1", "VPCId": vpc}])
    record = cloud.record()
    check("record", (record["Type"], record["TTL"]), ("A", 10))
    check("leads to the machines", sorted(r["Value"] for r in record["ResourceRecords"]),
          sorted(m["PrivateIpAddress"] for m in machines))
    script = user_data(cloud, machines[0])
    check("container", f"image='ghcr.io/mlflow/mlflow:{release}'" in script, True)
    check("its secret is named", "secrets=('DATABASE=ssm:/whole/database')" in script, True)
    check("and not written", SECRET in script, False)


KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def check_depth(cloud, changed, release):
    """What nested blocks and the rarer attributes come to."""
    rule = cloud.s3.get_bucket_encryption(Bucket="acme-whole-sealed")
    rule = rule["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    check("its own key", (rule["SSEAlgorithm"], rule["KMSMasterKeyID"]), ("aws:kms", KEY))
    rules = cloud.s3.get_bucket_lifecycle_configuration(Bucket="acme-whole-sealed")["Rules"]
    check("versions are kept", [r["NoncurrentVersionExpiration"]["NoncurrentDays"] for r in rules
                                if "NoncurrentVersionExpiration" in r], [60 if changed else 30])
    check("what expires", [(r["Filter"]["Prefix"], r["Expiration"]["Days"]) for r in rules
                           if r.get("Expiration", {}).get("Days")], [("tmp/", 7)])
    url = cloud.sqs.get_queue_url(QueueName="whole-ordered.fifo")["QueueUrl"]
    queue = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    days = 3 if changed else 7
    check("queue", (queue["FifoQueue"], queue["MessageRetentionPeriod"],
                    json.loads(queue["RedrivePolicy"])["maxReceiveCount"]),
          ("true", str(days * 86400), 5))
    quick = cloud.volume("volume.quick")
    check("volume", (quick["VolumeType"], quick["Iops"], quick["KmsKeyId"]),
          ("gp3", 5000 if changed else 4000, KEY))
    efs = cloud.efs.describe_file_systems()["FileSystems"][0]["FileSystemId"]
    moves = cloud.efs.describe_lifecycle_configuration(FileSystemId=efs)["LifecyclePolicies"]
    check("what nobody uses moves", moves,
          [{"TransitionToIA": f"AFTER_{60 if changed else 30}_DAYS"}])
    backup = cloud.efs.describe_backup_policy(FileSystemId=efs)["BackupPolicy"]["Status"]
    check("is backed up", backup in ("ENABLED", "ENABLING"), True)
    own = cloud.fsx.describe_file_systems()["FileSystems"][0]["LustreConfiguration"]
    check("Lustre packs nothing", own.get("DataCompressionType"), "NONE")
    tie = cloud.fsx.describe_data_repository_associations()["Associations"][0]["S3"]
    check("both ways", (bool(tie.get("AutoImportPolicy")), bool(tie.get("AutoExportPolicy"))),
          (True, True))
    check_trial(cloud, changed, release)
    check_db(cloud)


def check_trial(cloud, changed, release):
    data, script = cloud.template("cluster.trial/template")
    disk = data["BlockDeviceMappings"][0]["Ebs"]
    check("disk", (disk["VolumeSize"], disk["Iops"], disk["Throughput"], disk["KmsKeyId"]),
          (300, 9000 if changed else 8000, 600, KEY))
    check("containers have the role", data["MetadataOptions"]["HttpPutResponseHopLimit"], 2)
    for line in ("MLINFRA_SCRATCH=/nvme", "MLINFRA_SCRATCH_FS=ext4",
                 "MLINFRA_AGENT_URL=s3://acme-corpus/mlinfra", "ssh-ed25519 AAAAC3", "NOPASSWD",
                 f"echo {release} >/etc/release-of-ours", "/usr/local/lib/mlinfra/efa"):
        check(f"it says {line!r}", line in script, True)
    check("no containers there", "/usr/local/lib/mlinfra/containers" in script, False)
    inside = cloud.group("cluster.trial/group")["IpPermissions"]
    check("port 22 for some", (22, 22, "10.8.0.0/16") in ports(inside), True)
    may = allowed(policy(cloud, "trial"))
    check("it fetches its agent", ("s3:GetObject", "arn:aws:s3:::acme-corpus/mlinfra") in may, True)
    check("it writes", ("s3:PutObject", "arn:aws:s3:::acme-whole-sealed/*") in may, True)
    groups = cloud.ec2.describe_placement_groups()["PlacementGroups"]
    check("close together", [g["Strategy"] for g in groups], ["cluster"])


def check_db(cloud):
    data, script = cloud.template("service.db/template")
    disk = data["BlockDeviceMappings"][0]["Ebs"]
    check("its disk", (disk["VolumeSize"], disk["Iops"], disk["Throughput"], disk["KmsKeyId"]),
          (120, 4000, 200, KEY))
    for line in ("command=('/opt/db/run' '--port' '5432')", "user='db'", "interval=15", "timeout=3",
                 "retries=4", "grace=300", "health_command=('/opt/db/ping')",
                 "secrets=('PASSWORD=secretsmanager:whole-db')", "MLINFRA_SCRATCH=/tmp-fast"):
        check(f"it says {line!r}", line in script, True)
    check("hop limit", data["MetadataOptions"]["HttpPutResponseHopLimit"], 1)
    may = allowed(policy(cloud, "db"))
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:whole-db-??????"
    check("it reads its secret", ("secretsmanager:GetSecretValue", secret) in may, True)
    check("it reads", ("s3:GetObject", "arn:aws:s3:::acme-corpus/*") in may, True)
    inside = ports(cloud.group("service.db/group")["IpPermissions"])
    check("who reaches it", inside, [(22, 22, "10.8.0.0/16"), (5432, 5432, "10.60.0.0/16"),
                                     (5432, 5432, "10.9.0.0/16")])
    machine, = cloud.instances("service.db/nodes")
    zone = cloud.zones()[0]["Id"]
    sets = cloud.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    led = [s["ResourceRecords"] for s in sets if s["Name"] == "db.whole.internal."]
    check("its name leads to it", led, [[{"Value": machine["PrivateIpAddress"]}]])


def looked_at(cloud, changed, release):
    check_depth(cloud, changed, release)
    check_tags(cloud)
    check_storage(cloud, changed)
    check_firewalls(cloud)
    check_rights(cloud)
    check_nodes(cloud, changed)
    check_service(cloud, release)


def sent_fits(endpoint):
    """Every form that went over the wire fits the services' published models."""
    with urllib.request.urlopen(f"{endpoint}/_emulator/sent") as answer:
        sent = json.load(answer)
    # What boto3 itself has sent is none of our business, and fits as well.
    lines = "\n".join(json.dumps(dict(form)) for form in sent)
    judged = subprocess.run([sys.executable, HERE / "validate_request.py"], input=lines,
                            capture_output=True, text=True)
    check(f"{len(sent)} requests fit botocore's models", (judged.returncode, judged.stdout),
          (0, f"{len(sent)} requests, 0 do not fit\n"))


ANOTHER = "ami-03cf127a"


def whole(mlinfra, cloud, folder, endpoint):
    before(cloud)
    machines = Machines(cloud)
    machines.start()
    var = lambda **all: [f"--var={name}={value}" for name, value in all.items()]

    mlinfra.run("validate")
    mlinfra.run("plan", "--detailed-exitcode", code=2)
    mlinfra.run("apply", "--yes")
    mlinfra.run("plan", "--detailed-exitcode", code=0)
    check("exactly what is declared", cloud.count(), WANTED)
    looked_at(cloud, False, "v1")

    print("one change in every kind of block")
    now = var(changed="true")
    changes = mlinfra.changes(*now)
    kinds = {address.split(".")[0 if not address.startswith("module") else 2]
             for address in changes}
    for kind in ("vpc", "bucket", "queue", "lustre_file_system", "efs_file_system", "volume",
                 "node", "launch_template", "hosted_zone"):
        check(f"changes a {kind}", f"mlinfra_{kind}" in kinds, True)
    mlinfra.run("apply", "--yes", *now)
    mlinfra.run("plan", "--detailed-exitcode", *now, code=0)
    check("one node more", cloud.count(), dict(WANTED, node=7))
    looked_at(cloud, True, "v1")

    print("other images: of the nodes, and of the container")
    now = var(changed="true", image=ANOTHER, release="v2")
    first = {i["InstanceId"] for i in cloud.instances()}
    mlinfra.run("apply", "--yes", *now)
    mlinfra.run("plan", "--detailed-exitcode", *now, code=0)
    check("no more and no fewer", cloud.count(), dict(WANTED, node=7))
    looked_at(cloud, True, "v2")
    train = cloud.instances("cluster.train/nodes")
    check("the nodes boot it", {n["ImageId"] for n in train}, {ANOTHER})
    others = {i["InstanceId"] for at in ("cluster.head/nodes", "service.db/nodes")
              for i in cloud.instances(at)}
    check("and nobody else was touched",
          {i["InstanceId"] for i in cloud.instances()} & first, others)

    print("a release that is ill")
    machines.ill = "mlflow:v3"
    led = cloud.record()["ResourceRecords"]
    bad = var(changed="true", image=ANOTHER, release="v3")
    mlinfra.run("apply", "--yes", *bad, code=1)
    check("the name leads where it led", cloud.record()["ResourceRecords"], led)
    mlinfra.run("rollback", "3", "--yes")
    mlinfra.run("plan", "--detailed-exitcode", *now, code=0)
    check("as before", cloud.count(), dict(WANTED, node=7))
    check_service(cloud, "v2")

    print("the ledger is lost, and somebody has changed the record")
    zone = cloud.zones()[0]["Id"]
    cloud.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
        "Action": "UPSERT", "ResourceRecordSet": {
            "Name": NAME, "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "10.9.9.9"}]}}]})
    import shutil
    shutil.rmtree(Path(folder) / ".mlinfra")
    check("the record alone", mlinfra.changes(*now),
          {"mlinfra_hosted_zone.service_mlflow_nodes": "update"})
    mlinfra.run("apply", "--yes", *now)
    check_service(cloud, "v2")
    sent_fits(endpoint)

    mlinfra.run("destroy", "--yes", *now)
    check("nothing is left", cloud.count(), {kind: 0 for kind in WANTED})
    check("what others made stands", (
        len(cloud.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["shared"]}])["Vpcs"]),
        [b["Name"] for b in cloud.s3.list_buckets()["Buckets"]]), (1, ["acme-corpus"]))
    print("the whole language: all of it holds")


class Here(Mlinfra):
    def run(self, *args, code=0):
        done = subprocess.run([self.binary, *args], cwd=self.folder, capture_output=True,
                              text=True, timeout=900)
        print(f"$ mlinfra {' '.join(args)}\n  exit code {done.returncode}", flush=True)
        if done.returncode != code:
            sys.exit(f"exit code {code} was wanted\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def changes(self, *more):
        lines = [json.loads(line) for line in self.run("plan", "--json", *more).splitlines()]
        changes = [line["change"] for line in lines if line["type"] == "planned_change"]
        return {c["resource"]["addr"]: c["action"] for c in changes}


def main():
    import shutil
    binary, stack = sys.argv[1], Path(sys.argv[2])
    folder = tempfile.mkdtemp()
    emulator = subprocess.Popen(
        [sys.executable, HERE / "emulator.py", "0"], stdout=subprocess.PIPE, text=True)
    try:
        endpoint = f"http://127.0.0.1:{emulator.stdout.readline().strip()}"
        for name in [n for n in os.environ if n.startswith(("AWS_", "MLINFRA_"))]:
            del os.environ[name]
        os.environ.update(ENV, AWS_ENDPOINT_URL=endpoint)
        shutil.copytree(stack.parent, folder, dirs_exist_ok=True)
        whole(Here(binary, folder), Cloud(), folder, endpoint)
    finally:
        emulator.kill()
        emulator.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
