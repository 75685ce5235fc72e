"""FSx for Lustre as far as the adapter uses it: moto lacks lifecycles, updates, network
interfaces, client tokens and data repository associations.

Every request is checked against the service's published model first, as botocore carries
it: what does not fit is answered with ValidationException, which no test expects. What is
answered here is not an independent witness of the answers; the shapes of those are the SDK's.
"""

import json

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from moto.backends import get_backend

ACCOUNT, REGION = "123456789012", "us-east-1"
TARGET = "AWSSimbaAPIService_v20180301."
MODEL = ServiceModel(Loader().load_service_model("fsx", "service-2"))


class Refused(Exception):
    """Code and words."""


def enums(shape, value, key):
    """Enumerations are checked, which botocore leaves to the service."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                enums(shape.members[name], inner, f"{key}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            enums(shape.member, inner, key)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        raise Refused("ValidationException", f"{key}: {value!r} is not one of {shape.enum}")


def check(action, params):
    shape = MODEL.operation_model(action).input_shape
    report = ParamValidator().validate(params, shape)
    unknown = [name for name in params if name not in shape.members]
    if report.has_errors() or unknown:
        raise Refused("ValidationException", f"{action}: {report.generate_report()} {unknown}")
    enums(shape, params, action)


def merge(into, new):
    for key, value in new.items():
        if isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


class Fsx:
    """File systems and associations, by id."""

    def __init__(self):
        self.systems, self.associations, self.answers, self.made = {}, {}, {}, 0

    def fresh(self, prefix):
        self.made += 1
        return f"{prefix}-0{self.made:016x}"

    def answer(self, target, body):
        action, params = target.removeprefix(TARGET), json.loads(body or b"{}")
        try:
            check(action, params)
            return 200, json.dumps(self.once(action, params))
        except Refused as why:
            code, words = why.args
            return 400, json.dumps({"__type": code, "message": words, "Message": words})

    def once(self, action, params):
        token = params.get("ClientRequestToken")
        known = self.answers.get((action, token)) if action.startswith("Create") else None
        if known and known[0] != params:
            raise Refused("IncompatibleParameterError", "the token was used otherwise")
        if known:
            return known[1]
        answer = getattr(self, action)(params)
        if token:
            self.answers[(action, token)] = (params, answer)
        return answer

    def system(self, id):
        if id not in self.systems:
            raise Refused("FileSystemNotFound", f"File system '{id}' does not exist.")
        return self.systems[id]

    def association(self, id):
        if id not in self.associations:
            raise Refused("DataRepositoryAssociationNotFound", f"{id} does not exist.")
        return self.associations[id]

    def CreateFileSystem(self, params):
        ec2 = get_backend("ec2")[ACCOUNT][REGION]
        lustre, size = params["LustreConfiguration"], params["StorageCapacity"]
        if size != 1200 and size % 2400:
            raise Refused("BadRequest", "The storage capacity is not valid.")
        persistent = lustre["DeploymentType"].startswith("PERSISTENT")
        if persistent != ("PerUnitStorageThroughput" in lustre):
            raise Refused("InvalidPerUnitStorageThroughput", "It goes with persistent ones.")
        [subnet] = params["SubnetIds"]
        found = [s for zone in ec2.subnets.values() for s in zone.values() if s.id == subnet]
        if not found:
            raise Refused("InvalidNetworkSettings", f"{subnet} does not exist.")
        groups = params.get("SecurityGroupIds")
        address = found[0].get_available_subnet_ip(None)
        interface = ec2.create_network_interface(found[0], address, group_ids=groups)
        id = self.fresh("fs")
        self.systems[id] = {
            "FileSystemId": id,
            "FileSystemType": params["FileSystemType"],
            "FileSystemTypeVersion": params.get("FileSystemTypeVersion", "2.10"),
            "Lifecycle": "AVAILABLE",
            "StorageCapacity": size,
            "StorageType": params["StorageType"],
            "SubnetIds": params["SubnetIds"],
            "NetworkInterfaceIds": [interface.id],
            "DNSName": f"{id}.fsx.{REGION}.amazonaws.com",
            "ResourceARN": f"arn:aws:fsx:{REGION}:{ACCOUNT}:file-system/{id}",
            "Tags": params.get("Tags", []),
            "LustreConfiguration": dict(lustre, MountName="fsx" + id[-4:]),
        }
        return {"FileSystem": dict(self.systems[id], Lifecycle="CREATING")}

    def DescribeFileSystems(self, params):
        ids = params.get("FileSystemIds") or sorted(self.systems)
        return {"FileSystems": [self.system(id) for id in ids]}

    def UpdateFileSystem(self, params):
        system = self.system(params["FileSystemId"])
        size = params.get("StorageCapacity", system["StorageCapacity"])
        if size < system["StorageCapacity"] or (size != 1200 and size % 2400):
            raise Refused("BadRequest", "The storage capacity is not valid.")
        merge(system, {k: params[k] for k in ("StorageCapacity", "LustreConfiguration")
                       if k in params})
        return {"FileSystem": system}

    def DeleteFileSystem(self, params):
        system = self.system(params["FileSystemId"])
        ec2 = get_backend("ec2")[ACCOUNT][REGION]
        for interface in system["NetworkInterfaceIds"]:
            ec2.delete_network_interface(interface)
        del self.systems[system["FileSystemId"]]
        self.associations = {id: one for id, one in self.associations.items()
                             if one["FileSystemId"] != system["FileSystemId"]}
        return {"FileSystemId": system["FileSystemId"], "Lifecycle": "DELETING"}

    def CreateDataRepositoryAssociation(self, params):
        system = self.system(params["FileSystemId"])
        if system["FileSystemTypeVersion"] == "2.10":
            raise Refused("UnsupportedOperation", "Lustre 2.10 knows no associations.")
        if any((one["FileSystemId"], one["FileSystemPath"])
               == (params["FileSystemId"], params["FileSystemPath"])
               for one in self.associations.values()):
            raise Refused("BadRequest", "The file system path overlaps.")
        id = self.fresh("dra")
        kept = ("FileSystemId", "FileSystemPath", "DataRepositoryPath", "S3",
                "BatchImportMetaDataOnCreate")
        self.associations[id] = {
            "AssociationId": id,
            "ResourceARN": f"arn:aws:fsx:{REGION}:{ACCOUNT}:association/"
                           f"{params['FileSystemId']}/{id}",
            "Lifecycle": "AVAILABLE",
            "Tags": params.get("Tags", []),
            **{key: params[key] for key in kept if key in params},
        }
        return {"Association": dict(self.associations[id], Lifecycle="CREATING")}

    def DescribeDataRepositoryAssociations(self, params):
        ids = params.get("AssociationIds") or sorted(self.associations)
        return {"Associations": [self.association(id) for id in ids]}

    def UpdateDataRepositoryAssociation(self, params):
        association = self.association(params["AssociationId"])
        association["S3"] = params["S3"]
        return {"Association": association}

    def DeleteDataRepositoryAssociation(self, params):
        association = self.association(params["AssociationId"])
        del self.associations[association["AssociationId"]]
        return {"AssociationId": association["AssociationId"], "Lifecycle": "DELETING"}

    def tagged(self, params):
        for one in (*self.systems.values(), *self.associations.values()):
            if one["ResourceARN"] == params["ResourceARN"]:
                return one
        raise Refused("ResourceNotFound", f"{params['ResourceARN']} does not exist.")

    def TagResource(self, params):
        one, new = self.tagged(params), params["Tags"]
        keys = {tag["Key"] for tag in new}
        one["Tags"] = [tag for tag in one["Tags"] if tag["Key"] not in keys] + new
        return {}

    def UntagResource(self, params):
        one = self.tagged(params)
        one["Tags"] = [tag for tag in one["Tags"] if tag["Key"] not in params["TagKeys"]]
        return {}

    def inventory(self):
        """Kind, id and tags of everything."""
        for id, one in self.systems.items():
            yield "lustre_file_system", id, one["Tags"]
        for id, one in self.associations.items():
            yield "data_repository_association", id, one["Tags"]
