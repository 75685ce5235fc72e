"""Sessions of a team: what others did meanwhile is noticed, and nothing else is touched.
boto3, which knows nothing of mlinfra, is the others, and says what is there.

Each session begins in a copy of one world in which the quickstart was applied.

Usage: sessions.py MLINFRA STACK_FILE [SESSION...]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from roundtrip import ENV, HERE, Cloud, Mlinfra, check

DATASETS = "quickstart-datasets-123456789012-us-east-1-an"
CHECKPOINTS = "quickstart-checkpoints-123456789012-us-east-1-an"
CLUSTER = "quickstart-train-us-east-1"


def ask(port, path):
    url = f"http://127.0.0.1:{port}/_emulator/{path}"
    return json.loads(urllib.request.urlopen(url, timeout=60).read())


def loose(value):
    """Lists are sets here."""
    if isinstance(value, list):
        return sorted(json.dumps(item, sort_keys=True) for item in value)
    return value


class Session(Mlinfra):
    """A world of its own, a folder of its own."""

    def __init__(self, binary, root, applied):
        super().__init__(binary, tempfile.mkdtemp())
        shutil.copytree(applied, self.folder, dirs_exist_ok=True)
        self.port = ask(root, "copy")
        self.endpoint = f"http://127.0.0.1:{self.port}"
        os.environ["AWS_ENDPOINT_URL"] = self.endpoint
        self.cloud = Cloud()

    def end(self):
        try:
            ask(self.port, "exit")
        except OSError:
            pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *args, code=0):
        os.environ["AWS_ENDPOINT_URL"] = self.endpoint
        return super().run(*args, code=code)

    def fails(self, *args, code=1):
        """A command that must fail; what it says."""
        os.environ["AWS_ENDPOINT_URL"] = self.endpoint
        done = subprocess.run(
            [self.binary, *args], cwd=self.folder, capture_output=True, text=True, timeout=300)
        print(f"$ mlinfra {' '.join(args)}\n  exit code {done.returncode}")
        if done.returncode != code:
            sys.exit(f"exit code {code} was wanted\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def edit(self, old, new, name="main.hcl"):
        path = Path(self.folder) / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new))

    def inventory(self):
        """Everything in the account with its tags, past every API."""
        return sorted(json.dumps(one, sort_keys=True) for one in ask(self.port, "inventory"))

    def owned(self):
        """Address to ids."""
        found = {}
        for one in ask(self.port, "inventory"):
            if one["tags"].get("mlinfra:stack") == "quickstart":
                found.setdefault(one["tags"]["mlinfra:address"], []).append(one["id"])
        return {address: sorted(ids) for address, ids in found.items()}

    def differences(self):
        """What a plan would change: address, action or changed fields."""
        self.run("plan", "--out", "seen")
        plan = json.loads(self.run("show", "--json", "seen"))
        (Path(self.folder) / "seen").unlink()
        found = {}
        for one in plan["resource_changes"]:
            change = one["change"]
            if change["actions"] == ["no-op"]:
                continue
            fields = "/".join(change["actions"])
            if change["actions"] == ["update"]:
                before, after = change["before"], change["after"]
                fields = sorted(k for k in after if loose(before.get(k)) != loose(after[k]))
            found[one["mlinfra"]["address"]] = fields
        return found

    # What the others touch.

    def one(self, address):
        return self.owned()[address][0]

    def group(self):
        return self.cloud.ec2.describe_security_groups(
            Filters=self.cloud.ours)["SecurityGroups"][0]["GroupId"]

    def queue(self, name="quickstart-training"):
        return self.cloud.queues()[name]

    def association(self, subnet):
        tables = self.cloud.ec2.describe_route_tables(
            Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
        return [a["RouteTableAssociationId"] for t in tables for a in t["Associations"]
                if a.get("SubnetId") == subnet][0]

    def template_version(self):
        id = self.one("cluster.train/template")
        self.cloud.ec2.create_launch_template_version(
            LaunchTemplateId=id, SourceVersion="1",
            LaunchTemplateData={"InstanceType": "m5.large"})
        self.cloud.ec2.modify_launch_template(LaunchTemplateId=id, DefaultVersion="2")


SSH = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]})

# What somebody does at a console: address, field (or action), how.
BY_HAND = [
    ("bucket.datasets", "versioning", lambda s: s.cloud.s3.put_bucket_versioning(
        Bucket=DATASETS, VersioningConfiguration={"Status": "Suspended"})),
    ("bucket.datasets", "ownership",
     lambda s: s.cloud.s3.delete_bucket_ownership_controls(Bucket=DATASETS)),
    ("bucket.datasets", "encryption",
     lambda s: s.cloud.s3.delete_bucket_encryption(Bucket=DATASETS)),
    ("bucket.checkpoints", "lifecycle",
     lambda s: s.cloud.s3.delete_bucket_lifecycle(Bucket=CHECKPOINTS)),
    ("bucket.checkpoints", "public_access_block",
     lambda s: s.cloud.s3.delete_public_access_block(Bucket=CHECKPOINTS)),
    ("bucket.checkpoints", "policy",
     lambda s: s.cloud.s3.delete_bucket_policy(Bucket=CHECKPOINTS)),
    ("queue.training", "visibility_timeout", lambda s: s.cloud.sqs.set_queue_attributes(
        QueueUrl=s.queue(), Attributes={"VisibilityTimeout": "5"})),
    ("queue.training", "tags", lambda s: s.cloud.sqs.tag_queue(
        QueueUrl=s.queue(), Tags={"owner": "eve"})),
    ("queue.training/dead-letter", "retention", lambda s: s.cloud.sqs.set_queue_attributes(
        QueueUrl=s.queue("quickstart-training-dead"),
        Attributes={"MessageRetentionPeriod": "60"})),
    ("network.main/vpc", "dns_hostnames", lambda s: s.cloud.ec2.modify_vpc_attribute(
        VpcId=s.one("network.main/vpc"), EnableDnsHostnames={"Value": False})),
    ("network.main/private-a", "public_ips", lambda s: s.cloud.ec2.modify_subnet_attribute(
        SubnetId=s.one("network.main/private-a"), MapPublicIpOnLaunch={"Value": True})),
    ("network.main/private-routes", "routes", lambda s: s.cloud.ec2.delete_route(
        RouteTableId=s.one("network.main/private-routes"), DestinationCidrBlock="0.0.0.0/0")),
    ("network.main/public-routes", "subnets", lambda s: s.cloud.ec2.disassociate_route_table(
        AssociationId=s.association(s.one("network.main/public-b")))),
    ("network.main/s3-endpoint", "route_tables", lambda s: s.cloud.ec2.modify_vpc_endpoint(
        VpcEndpointId=s.one("network.main/s3-endpoint"),
        RemoveRouteTableIds=[s.one("network.main/public-routes")])),
    ("network.main/nat-address", "tags", lambda s: s.cloud.ec2.delete_tags(
        Resources=[s.one("network.main/nat-address")], Tags=[{"Key": "team"}])),
    ("cluster.train/group", "ingress", lambda s: s.cloud.ec2.authorize_security_group_ingress(
        GroupId=s.group(), IpPermissions=SSH)),
    ("cluster.train/group", "egress", lambda s: s.cloud.ec2.revoke_security_group_egress(
        GroupId=s.group(), IpPermissions=[
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])),
    ("cluster.train/role", "policies", lambda s: s.cloud.iam.put_role_policy(
        RoleName=CLUSTER, PolicyName="more", PolicyDocument=DOCUMENT)),
    ("cluster.train/role", "managed", lambda s: s.cloud.iam.attach_role_policy(
        RoleName=CLUSTER, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")),
    ("cluster.train/role", "description", lambda s: s.cloud.iam.update_role(
        RoleName=CLUSTER, Description="mine")),
    ("cluster.train/profile", "roles",
     lambda s: s.cloud.iam.remove_role_from_instance_profile(
         InstanceProfileName=CLUSTER, RoleName=CLUSTER)),
    ("cluster.train/template", "default_version", lambda s: s.template_version()),
    ("cluster.train/nodes", "create", lambda s: s.cloud.ec2.terminate_instances(
        InstanceIds=s.owned()["cluster.train/nodes"][:1])),
]


def drift(fresh):
    """More than twenty edits by other hands; exactly those are named, and undone."""
    session = fresh()
    session.run("drift")
    check("nothing differs before", session.differences(), {})
    wanted = {}
    for address, field, edit in BY_HAND:
        edit(session)
        wanted.setdefault(address, []).append(field)
    check("kinds of edits", len(BY_HAND) >= 20, True)
    found = {a.split("[")[0]: sorted(f) if isinstance(f, list) else [f]
             for a, f in session.differences().items()}
    wanted = {address: sorted(fields) for address, fields in wanted.items()}
    check("exactly what was edited", found, wanted)
    said = json.loads(session.run("drift", "--json", code=2))["drift"]
    found = {one["address"]: sorted(field["field"] for field in one.get("fields", []))
             or [one["change"]] for one in said}
    check("drift names it too", found, dict(wanted, **{"cluster.train/nodes": ["gone"]}))
    session.run("apply", "--yes")
    check("nothing differs afterwards", session.differences(), {})
    session.run("drift")


def write(session, name, text):
    (Path(session.folder) / name).write_text(text)


def delete_queue(session):
    session.cloud.sqs.delete_queue(QueueUrl=session.queue("quickstart-training-dead"))


def damage(session):
    path = Path(session.folder) / "plan"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


# What happens between the plan and its apply: what, the code, words of the refusal, how.
MEANWHILE = [
    ("an edit of the configuration", "P014", ["main.hcl has changed"],
     lambda s: s.edit('"45m"', '"50m"')),
    ("a new file", "P014", ["more.hcl is new"], lambda s: write(s, "more.hcl", "# more\n")),
    ("another apply", "P013", ["ran `mlinfra apply`"],
     lambda s: (s.edit('"45m"', '"31m"'), s.run("apply", "--yes"), s.edit('"31m"', '"45m"'))),
    ("an object that is gone", "P015", ["queue.training/dead-letter", "is gone"], delete_queue),
    ("a damaged byte", "P010", ["plan cannot be used"], damage),
    ("time", "P012", ["has expired"], lambda s: (
        s.run("plan", "--out", "plan", "--expires", "1s"), time.sleep(1.5))),
] + [
    (f"{field} of {address}", "P015", [address, field], edit)
    for address, field, edit in BY_HAND if address != "cluster.train/nodes"
]


def saved(fresh):
    """A saved plan is refused after each kind of change, and does nothing then."""
    planned = fresh()
    planned.edit('"30m"', '"45m"')
    planned.run("plan", "--out", "plan")
    for what, code, words, change in MEANWHILE:
        session = fresh(planned.folder)
        change(session)
        before = session.inventory()
        said = session.fails("apply", "plan")
        missing = [word for word in [code, *words] if word not in said]
        if missing:
            sys.exit(f"{what}: {missing} is not in\n{said}")
        check(f"refused after {what}, and nothing was done", session.inventory(), before)
        session.end()
    said = planned.fails("apply", "plan", "--var", "nodes=3")
    check("refused with another variable", "var.nodes" in said, True)
    planned.run("apply", "plan")
    timeout = planned.cloud.sqs.get_queue_attributes(
        QueueUrl=planned.queue(), AttributeNames=["VisibilityTimeout"])["Attributes"]
    check("applied when nothing has changed", timeout, {"VisibilityTimeout": "2700"})
    check("nothing is left to do", planned.differences(), {})


def moved(fresh):
    """A renamed block keeps its objects."""
    session = fresh()
    before = session.owned()
    session.edit("checkpoints", "models")
    write(session, "moved.hcl",
          "moved {\n  from = bucket.checkpoints\n  to   = bucket.models\n}\n")
    session.run("apply", "--yes")
    after = session.owned()
    before["bucket.models"] = before.pop("bucket.checkpoints")
    check("the same objects, one of them at another address", after, before)
    check("nothing is left to do", session.differences(), {})


def moved_into_module(fresh):
    """A block that moves into a module keeps its objects."""
    session = fresh()
    before = session.owned()
    block = """bucket "checkpoints" {
  precious = false # may be deleted together with what it holds

  expire {
    prefix = "tmp/"
    after  = "14d"
  }
}
"""
    session.edit(block, """module "data" {
  source = "./data"
}

moved {
  from = bucket.checkpoints
  to   = module.data.bucket.checkpoints
}
""")
    (Path(session.folder) / "data").mkdir()
    output = """
output "bucket" {
  value = bucket.checkpoints
}

output "name" {
  value = bucket.checkpoints.name
}
"""
    write(session, "data/main.hcl", block + output)
    session.edit("[bucket.checkpoints]", "[module.data.bucket]")
    session.edit("bucket.checkpoints.name", "module.data.name")
    session.run("apply", "--yes")
    after = session.owned()
    before["module.data.bucket.checkpoints"] = before.pop("bucket.checkpoints")
    check("the same objects, one of them at another address", after, before)
    check("nothing is left to do", session.differences(), {})


def adopt(fresh):
    """A bucket that boto3 made is taken over with what it holds."""
    session = fresh()
    s3 = session.cloud.s3
    s3.create_bucket(Bucket="acme-raw")
    s3.put_object(Bucket="acme-raw", Key="a/b", Body=b"data")
    session.edit('bucket "datasets" {}', 'bucket "datasets" {}\n\nbucket "raw" {\n'
                 '  name = "acme-raw"\n}')
    said = session.fails("apply", "--yes")
    check("it is not taken without a word", "mlinfra adopt bucket.raw" in said, True)
    check("nor touched", s3.get_bucket_versioning(Bucket="acme-raw").get("Status"), None)
    session.run("adopt", "bucket.raw", "acme-raw", "--yes")
    check("it is the stack's", session.owned()["bucket.raw"], ["acme-raw"])
    session.run("apply", "--yes")
    check("it is as declared", s3.get_bucket_versioning(Bucket="acme-raw")["Status"], "Enabled")
    body = s3.get_object(Bucket="acme-raw", Key="a/b")["Body"].read()
    check("what it holds is there", body, b"data")
    check("nothing is left to do", session.differences(), {})


def forget(fresh):
    """A bucket that is forgotten stays, whatever becomes of the stack."""
    session = fresh()
    s3 = session.cloud.s3
    s3.put_object(Bucket=DATASETS, Key="a/b", Body=b"data")
    session.edit('bucket "datasets" {}', "")
    session.edit("[bucket.datasets]", "[]")
    session.run("forget", "bucket.datasets", "--yes")
    check("it is nobody's", "bucket.datasets" in session.owned(), False)
    session.run("apply", "--yes")
    session.run("destroy", "--yes")
    check("nothing of the stack is left", session.owned(), {})
    body = s3.get_object(Bucket=DATASETS, Key="a/b")["Body"].read()
    check("what it holds is there", body, b"data")


def rollback(fresh):
    """What was applied last is taken back, and nothing else."""
    session = fresh()
    before = session.owned()
    session.edit('"30m"', '"45m"')
    session.edit('bucket "datasets" {}', 'bucket "datasets" {}\n\nbucket "extra" {}')
    session.run("apply", "--yes")
    check("the bucket is there", "bucket.extra" in session.owned(), True)
    session.run("rollback", "1", "--yes")
    check("the same objects as before", session.owned(), before)
    timeout = session.cloud.sqs.get_queue_attributes(
        QueueUrl=session.queue(), AttributeNames=["VisibilityTimeout"])["Attributes"]
    check("the queue as before", timeout, {"VisibilityTimeout": "1800"})
    check("the configuration still wants the rest", session.differences(), {
        "bucket.extra": "create", "queue.training": ["visibility_timeout"],
        "queue.training/dead-letter": ["visibility_timeout"]})
    session.run("history", "verify")
    session.edit('"45m"', '"30m"')
    session.edit('\n\nbucket "extra" {}', "")
    check("nothing differs from the old one", session.differences(), {})


SESSIONS = {one.__name__: one
            for one in (drift, saved, moved, moved_into_module, adopt, forget, rollback)}


def main():
    binary, stack, *chosen = sys.argv[1:]
    emulator = subprocess.Popen(
        [sys.executable, HERE / "emulator.py", "0"], stdout=subprocess.PIPE, text=True)
    applied = tempfile.mkdtemp()
    try:
        root = emulator.stdout.readline().strip()
        for name in [n for n in os.environ if n.startswith(("AWS_", "MLINFRA_"))]:
            del os.environ[name]
        os.environ.update(ENV, AWS_ENDPOINT_URL=f"http://127.0.0.1:{root}")
        shutil.copy(stack, applied)
        Mlinfra(binary, applied).run("apply", "--yes")
        for name in chosen or SESSIONS:
            print(f"\n== {name}: {SESSIONS[name].__doc__.splitlines()[0]}")
            begun = []

            def fresh(folder=applied):
                begun.append(Session(binary, root, folder))
                return begun[-1]

            try:
                SESSIONS[name](fresh)
            finally:
                for session in begun:
                    session.end()
        print("sessions: all of it holds")
    finally:
        emulator.kill()
        emulator.wait()
        shutil.rmtree(applied)


if __name__ == "__main__":
    main()
