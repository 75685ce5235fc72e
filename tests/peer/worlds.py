"""What the tests of faults need of the emulator: worlds that can be copied, and a look
into them past every API.

A world is a process. A copy of it is a fork: it has the same objects, answers on a port
of its own, and knows nothing of what happens to the others. It ends with whoever copied it.
"""

import os
import signal
import threading
import time

from moto.backends import get_backend
from werkzeug.serving import make_server

ACCOUNT, REGION = "123456789012", "us-east-1"


def end_with_parent():
    """Nothing may be left behind, however the test ended."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def begin():
    """Called once, before anything is served."""
    # Copies that have ended need no farewell.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    end_with_parent()
    # What takes moto seconds to load is loaded once, and every copy has it.
    get_backend("iam")[ACCOUNT]["aws"]
    get_backend("ec2")[ACCOUNT][REGION]
    get_backend("efs")[ACCOUNT][REGION]


def copy(app):
    """Forks; returns the port on which the copy answers."""
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            # The copy inherits connections that are not its own.
            os.closerange(3, write)
            os.closerange(write + 1, 1024)
            end_with_parent()
            server = make_server("127.0.0.1", 0, app, threaded=True)
            os.write(write, str(server.server_port).encode())
            os.close(write)
            server.serve_forever()
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as pipe:
        return int(pipe.read())


def open_targets():
    """Somebody puts every mount target into the default group of its VPC."""
    ec2 = get_backend("ec2")[ACCOUNT][REGION]
    efs = get_backend("efs")[ACCOUNT][REGION]
    for id, target in efs.mount_targets_by_id.items():
        [group] = [g.id for g in ec2.groups[target.vpc_id].values() if g.name == "default"]
        efs.modify_mount_target_security_groups(id, [group])


def boot_services():
    """Machines of services say that they are well."""
    ec2 = get_backend("ec2")[ACCOUNT][REGION]
    for reservation in ec2.reservations.values():
        for machine in reservation.instances:
            tags = ec2.tags.get(machine.id, {})
            if tags.get("mlinfra:address", "").startswith("service."):
                tags.setdefault("mlinfra:state", "ready")


def pairs(tags):
    """moto keeps tags as a list of pairs, or as a map of them."""
    tags = tags.values() if isinstance(tags, dict) else tags
    return {tag["Key"]: tag["Value"] for tag in tags}


def inventory(placement_groups, fsx):
    """Everything in the account: kind, id, tags."""
    ec2 = get_backend("ec2")[ACCOUNT][REGION]
    iam = get_backend("iam")[ACCOUNT]["aws"]
    route53 = get_backend("route53")[ACCOUNT]["aws"]
    s3 = get_backend("s3")[ACCOUNT]["aws"]
    sqs = get_backend("sqs")[ACCOUNT][REGION]
    efs = get_backend("efs")[ACCOUNT][REGION]
    out = []

    def add(kind, id, tags):
        out.append({"kind": kind, "id": id, "tags": dict(tags)})

    def of_ec2(kind, ids):
        for id in ids:
            add(kind, id, ec2.tags.get(id, {}))

    of_ec2("vpc", ec2.vpcs)
    of_ec2("subnet", [id for zone in ec2.subnets.values() for id in zone])
    of_ec2("internet_gateway", ec2.internet_gateways)
    of_ec2("elastic_ip", [address.allocation_id for address in ec2.addresses])
    of_ec2("nat_gateway", [n.id for n in ec2.nat_gateways.values()
                           if n.state not in ("deleting", "deleted")])
    # A VPC brings a table and a group of its own.
    of_ec2("route_table", [t.id for t in ec2.route_tables.values() if not t.main_association_id])
    of_ec2("vpc_endpoint", [e.id for e in ec2.vpc_end_points.values()
                            if e.state not in ("deleting", "deleted")])
    of_ec2("security_group", [group.id for groups in ec2.groups.values()
                              for group in groups.values() if group.name != "default"])
    of_ec2("launch_template", ec2.launch_templates)
    of_ec2("node", [i.id for r in ec2.reservations.values() for i in r.instances
                    if i._state.name not in ("shutting-down", "terminated")])
    # The disks of nodes have tags as well.
    of_ec2("volume", [id for id in ec2.volumes if "mlinfra:batch" not in ec2.tags.get(id, {})
                      and ec2.volumes[id].attachment is None])
    for id in efs.file_systems_by_id:
        add("efs_file_system", id, pairs(efs.list_tags_for_resource(id)))
    for kind, id, tags in fsx.inventory():
        add(kind, id, pairs(tags))
    for name, (_, tags) in placement_groups.items():
        add("placement_group", name, tags)
    for bucket in s3.buckets.values():
        add("bucket", bucket.name, s3.tagger.get_tag_dict_for_resource(bucket.arn))
        # What has no tags is what a bucket is for: it is nobody's object.
        for key in bucket.keys.values():
            tags = s3.tagger.get_tag_dict_for_resource(key.arn) if hasattr(key, "arn") else {}
            if tags:
                add("bucket_object", key.name.rsplit("/", 1)[-1], tags)
    for queue in sqs.queues.values():
        add("queue", queue.name, queue.tags)
    for zone in route53.zones.values():
        # Tags come by a call of their own: until then reference and comment own.
        whose, stack = (zone.caller_reference.split("/") + [""])[:2]
        owner = {"mlinfra:stack": stack, "mlinfra:address": zone.comment}
        stranger = {"stranger:stack": stack}
        tags = {"mlinfra": owner, "stranger:mlinfra": stranger}.get(whose, {})
        id = zone.id.rsplit("/", 1)[-1]
        add("hosted_zone", id, tags | route53.list_tags_for_resource(id))
    for role in iam.roles.values():
        add("role", role.name, pairs(role.tags))
    for profile in iam.instance_profiles.values():
        add("instance_profile", profile.name, pairs(profile.tags))
    return out


def remove_objects(s3, end):
    for bucket in s3.buckets.values():
        for name in [name for name in bucket.keys if name.rsplit("/", 1)[-1] == end]:
            bucket.keys.pop(name)


def remove_strangers(placement_groups, fsx):
    """What carries the tag of a stranger's stack is taken away."""
    ec2 = get_backend("ec2")[ACCOUNT][REGION]
    iam = get_backend("iam")[ACCOUNT]["aws"]
    route53 = get_backend("route53")[ACCOUNT]["aws"]
    s3 = get_backend("s3")[ACCOUNT]["aws"]
    sqs = get_backend("sqs")[ACCOUNT][REGION]
    efs = get_backend("efs")[ACCOUNT][REGION]
    removers = {
        "volume": lambda id: ec2.volumes.pop(id),
        "efs_file_system": efs.delete_file_system,
        "lustre_file_system": fsx.systems.pop,
        "data_repository_association": fsx.associations.pop,
        "security_group": lambda id: ec2.delete_security_group(group_id=id),
        "launch_template": lambda id: ec2.delete_launch_template(None, id),
        "placement_group": placement_groups.pop,
        "bucket": s3.delete_bucket,
        "bucket_object": lambda id: remove_objects(s3, id),
        "hosted_zone": route53.zones.pop,
        "queue": lambda id: sqs.queues.pop(id),
        "role": lambda id: iam.roles.pop(iam.get_role(id).id),
        "instance_profile": lambda id: iam.instance_profiles.pop(id),
    }
    for one in inventory(placement_groups, fsx):
        if "stranger:stack" in one["tags"]:
            removers[one["kind"]](one["id"])
