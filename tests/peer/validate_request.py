"""Checks requests against the services' own published models, as botocore carries them.

Standard input: one JSON object per line, the fields of a form as it went over the wire; of
a service that takes JSON, `Target` is its header and `Body` what was sent.
Each is read back into the parameters that it stands for, by the names and types of the
operation's input shape; what does not fit is printed. Exit code 1 when anything does not.
"""

import json
import sys

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

SERVICES = {"2016-11-15": "ec2", "2010-05-08": "iam", "2011-06-15": "sts"}
ENVELOPE = {"Action", "Version"}
TARGETS = {"AWSPriceListService": "pricing", "ServiceQuotasV20190624": "service-quotas", "EFS": "efs"}


class Misfit(Exception):
    """A field that the model does not know, or a value that it does not allow."""


def wire_name(service, member, shape):
    """The name of a member on the wire."""
    form = shape.serialization
    if service == "ec2":
        if "queryName" in form:
            return form["queryName"]
        name = form.get("name")
        return name[0].upper() + name[1:] if name else member
    return form.get("name", member)


def scalar(shape, text, key):
    """A value by its type; enumerations are checked, which botocore leaves to the service."""
    kind = shape.type_name
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise Misfit(f"{key}: {text!r} is no boolean")
        return text == "true"
    if kind == "blob":
        return text.encode()
    allowed = getattr(shape, "enum", None)
    if allowed and text not in allowed:
        raise Misfit(f"{key}: {text!r} is not one of {allowed}")
    return text


def read(service, shape, tree, key):
    """The parameters that a tree of fields stands for."""
    if isinstance(tree, str):
        if shape.type_name in ("structure", "list", "map"):
            raise Misfit(f"{key}: a value where the model has a {shape.type_name}")
        return scalar(shape, tree, key)
    if shape.type_name == "structure":
        names = {wire_name(service, m, s): (m, s) for m, s in shape.members.items()}
        out = {}
        for name, inner in tree.items():
            if name not in names:
                raise Misfit(f"{key}.{name}: not in {shape.name}")
            member, inner_shape = names[name]
            out[member] = read(service, inner_shape, inner, f"{key}.{name}")
        return out
    if shape.type_name == "list":
        if service != "ec2" and set(tree) == {"member"}:
            tree = tree["member"]
        order = sorted(tree, key=int)
        if order != [str(number) for number in range(1, len(order) + 1)]:
            raise Misfit(f"{key}: items {order}")
        return [read(service, shape.member, tree[at], f"{key}.{at}") for at in order]
    raise Misfit(f"{key}: fields below a {shape.type_name}")


def grow(form):
    """Dotted fields as a tree."""
    tree = {}
    for key, value in form.items():
        if key in ENVELOPE:
            continue
        node = tree
        *path, last = key.split(".")
        for part in path:
            node = node.setdefault(part, {})
            if isinstance(node, str):
                raise Misfit(f"{key}: both a value and fields")
        node[last] = value
    return tree


def check(models, form):
    """Reads a form, validates it, and writes it again: the two forms must be the same."""
    service = SERVICES[form["Version"]]
    if service not in models:
        models[service] = ServiceModel(Loader().load_service_model(service, "service-2"))
    model = models[service]
    operation = model.operation_model(form["Action"])
    shape = operation.input_shape
    parameters = read(service, shape, grow(form), form["Action"]) if shape else {}
    if shape:
        report = ParamValidator().validate(parameters, shape)
        if report.has_errors():
            raise Misfit(report.generate_report())
    written = create_serializer(model.metadata["protocol"], include_validation=False)
    again = written.serialize_to_request(parameters, operation)["body"]
    again = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in again.items()
    }
    if again != form:
        raise Misfit(f"written again it differs in {sorted(set(again.items()) ^ set(form.items()))}")


def check_json(form):
    """Validates a body of JSON: fields that the model does not know are reported too."""
    target, action = form["Target"].split(".")
    model = ServiceModel(Loader().load_service_model(TARGETS[target], "service-2"))
    shape = model.operation_model(action).input_shape
    report = ParamValidator().validate(json.loads(form["Body"]), shape)
    if report.has_errors():
        raise Misfit(report.generate_report())


def main():
    """Reads all forms and prints every misfit."""
    models, bad, count = {}, 0, 0
    for line in sys.stdin:
        form = json.loads(line)
        count += 1
        try:
            if "Target" in form:
                check_json(form)
            else:
                check(models, form)
        except (Misfit, ValueError) as misfit:
            bad += 1
            print(f"{form.get('Action') or form.get('Target')}: {misfit}")
    print(f"{count} requests, {bad} do not fit")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
