"""Where moto's models do not do what AWS does.

* moto shows the tags that a launch template was born with, whatever became of them.
* moto drops a queue's policy whenever another attribute is set.
* moto lets a deleted NAT gateway keep its address, and breaks down when one is deleted
  that it does not know.
* moto lets a statement that denies deny whatever its condition says. Here it denies
  nobody: what the tests send stands for requests over TLS.
* moto's EFS has no UpdateFileSystem and no PutBackupPolicy.
* moto makes hosted zones again under a reference that was used, and twice in one VPC;
  and lets a zone answer in one VPC twice.
* moto breaks down when a role is taken out of a profile that does not hold it.
"""

import json

from moto.core.exceptions import ServiceException
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.efs.responses import EFSResponse
from moto.route53.exceptions import ConflictingDomainExists, Route53ClientError
from moto.route53.models import Route53Backend
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.exceptions import NotFoundException as NoSuchEntity
from moto.iam.models import IAMBackend
from moto.sqs.models import Queue


def keep_policy(set_attributes):
    def set_and_keep(self, attributes, now=None):
        policy = getattr(self, "policy", None)
        set_attributes(self, attributes, now)
        if "Policy" not in attributes:
            self.policy = policy

    return set_and_keep


def let_go(delete):
    def delete_and_let_go(self, id):
        if id not in self.nat_gateways:
            raise ServiceException("NatGatewayNotFound", f"The Nat Gateway {id} was not found")
        nat = delete(self, id)
        for address in self.addresses:
            if address.eni is nat._eni:
                address.eni = address.instance = address.association_id = None
        return nat

    return delete_and_let_go


def mind_conditions(is_permitted):
    def is_permitted_or_neutral(self, *args, **kwargs):
        if self._statement.get("Effect") == "Deny" and "Condition" in self._statement:
            return PermissionResult.NEUTRAL
        return is_permitted(self, *args, **kwargs)

    return is_permitted_or_neutral


def once(create):
    def create_once(self, name, private_zone, caller_reference=None, vpcid=None, **more):
        for zone in self.zones.values():
            if zone.caller_reference == caller_reference:
                text = "A hosted zone has already been created with this caller reference."
                raise Route53ClientError("HostedZoneAlreadyExists", text)
            here = any(vpc["vpc_id"] == vpcid for vpc in zone.vpcs)
            if private_zone and here and zone.name.rstrip(".") == name.rstrip("."):
                raise ConflictingDomainExists(name, None)
        return create(self, name, private_zone, caller_reference, vpcid, **more)

    return create_once


def associate_once(associate):
    def associate_or_refuse(self, zone_id, vpcid, vpcregion):
        zone = self.get_hosted_zone(zone_id)
        for other in self.zones.values():
            here = any(vpc["vpc_id"] == vpcid for vpc in other.vpcs)
            if here and other.name.rstrip(".") == zone.name.rstrip("."):
                raise ConflictingDomainExists(zone.name, None)
        return associate(self, zone_id, vpcid, vpcregion)

    return associate_or_refuse


def removes_what_it_holds(remove):
    def remove_or_say(self, profile_name, role_name):
        if self.get_role(role_name) not in self.get_instance_profile(profile_name).roles:
            text = f"The role with name {role_name} is not in {profile_name}."
            raise NoSuchEntity(text)
        return remove(self, profile_name, role_name)

    return remove_or_say


def update_file_system(self):
    id = self._get_param("FileSystemId")
    _, [system] = self.efs_backend.describe_file_systems(file_system_id=id)
    system.throughput_mode = self._get_param("ThroughputMode")
    system.provisioned_throughput_in_mibps = self._get_param("ProvisionedThroughputInMibps")
    return json.dumps(system.info_json()), {"status": 202, "Content-Type": "application/json"}


def put_backup_policy(self):
    """PutBackupPolicy"""
    policy = self._get_param("BackupPolicy")
    _, systems = self.efs_backend.describe_file_systems(
        file_system_id=self._get_param("FileSystemId")
    )
    systems[0]._backup = policy["Status"] in ("ENABLED", "ENABLING")
    return json.dumps({"BackupPolicy": policy}), {"Content-Type": "application/json"}


def make():
    """Once, before anything is served."""
    LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, tags: None)
    EFSResponse.update_file_system = update_file_system
    EFSResponse.put_backup_policy = put_backup_policy
    Queue._set_attributes = keep_policy(Queue._set_attributes)
    NatGatewayBackend.delete_nat_gateway = let_go(NatGatewayBackend.delete_nat_gateway)
    Route53Backend.create_hosted_zone = once(Route53Backend.create_hosted_zone)
    associate = Route53Backend.associate_vpc_with_hosted_zone
    Route53Backend.associate_vpc_with_hosted_zone = associate_once(associate)
    remove = IAMBackend.remove_role_from_instance_profile
    IAMBackend.remove_role_from_instance_profile = removes_what_it_holds(remove)
    statement = IAMPolicyStatement
    statement.is_action_permitted = mind_conditions(statement.is_action_permitted)
