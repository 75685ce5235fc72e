"""moto's server, with the things in front of it that AWS does and moto does not.

* moto ignores client tokens: the same token creates twice. Here a repeated (action,
  token) is answered with the first answer, and another request with a used token by
  IdempotentParameterMismatch, as EC2's documentation says.
* moto has no placement groups: Create-, Describe- and DeletePlacementGroup are answered
  here, and a placement is taken out of the launches that reach moto.
* moto forgets the tags of a CreateBucket call: they are put right behind it.
* moto names the root of GetBucketVersioning's answer otherwise than AWS does.
* moto forgets the description of a rule whose other side is a group.
* moto's images lack the Deep Learning ones: the name of one is added.
* more in repairs.py; FSx for Lustre is in fsx.py.
* moto lacks ListInstanceProfileTags: it is answered from GetInstanceProfile.

For tests: GET /_emulator/sent says, as JSON, what it was sent in forms; GET
/_emulator/reset forgets everything; GET /_emulator/deny?DescribeVpcs refuses an action;
GET /_emulator/boot lets the machines of services say that they are well as soon as they
are launched; GET /_emulator/copy starts a copy and says its port; GET /_emulator/inventory lists what
there is; GET /_emulator/exit ends a copy.

Usage: emulator.py PORT  (0 picks a free one; the port is printed)
"""

import functools
import hashlib
import io
import json
import os
import re
import sys
import threading
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

import moto.utilities.utils as utils  # noqa: E402

# moto reads its tables of instance types anew at every call: two seconds each time.
utils.load_resource = functools.cache(utils.load_resource)

import fsx  # noqa: E402
import repairs  # noqa: E402
import worlds  # noqa: E402
from moto.ec2.models import amis  # noqa: E402
from moto.moto_api._internal import moto_api_backend  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

NS = "http://ec2.amazonaws.com/doc/2016-11-15/"


amis.AMIS.append({
    "ami_id": "ami-0d1a0000000000001",
    "name": "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) 20261101",
    "description": "stands for the real one",
    "owner_id": "898082745236",
    "public": True,
    "virtualization_type": "hvm",
    "architecture": "x86_64",
    "hypervisor": "xen",
    "root_device_type": "ebs",
    "root_device_name": "/dev/sda1",
    "image_location": "amazon/dlami",
    "creation_date": "2026-11-01T00:00:00.000Z",
})


def xml(action, inner):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{action}Response xmlns="{NS}">'
        f"<requestId>00000000-0000-0000-0000-000000000000</requestId>{inner}</{action}Response>"
    )


def error(code, text):
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>'
        f"<Code>{code}</Code><Message>{escape(text)}</Message></Error></Errors>"
        "<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>"
    )


class PlacementGroups:
    """Placement groups, by name."""

    def __init__(self):
        self.groups = {}

    def describe(self, params):
        wanted = {}
        for n in range(1, 20):
            name = params.get(f"Filter.{n}.Name")
            if name:
                wanted[name] = params.get(f"Filter.{n}.Value.1", "")
        names = {v for k, v in params.items() if k.startswith("GroupName.")}
        items = ""
        for name, (strategy, tags) in self.groups.items():
            if names and name not in names:
                continue
            if any(tags.get(k[4:]) != v for k, v in wanted.items() if k.startswith("tag:")):
                continue
            tag_set = "".join(
                f"<item><key>{escape(k)}</key><value>{escape(v)}</value></item>"
                for k, v in tags.items()
            )
            items += (
                f"<item><groupName>{escape(name)}</groupName><state>available</state>"
                f"<strategy>{strategy}</strategy><groupId>{self.id_of(name)}</groupId>"
                f"<groupArn>arn:aws:ec2:us-east-1:123456789012:placement-group/{escape(name)}"
                f"</groupArn><tagSet>{tag_set}</tagSet></item>"
            )
        return 200, xml("DescribePlacementGroups", f"<placementGroupSet>{items}</placementGroupSet>")

    def create(self, params):
        name = params["GroupName"]
        if name in self.groups:
            return 400, error("InvalidPlacementGroup.Duplicate", f"{name} already exists")
        tags = {}
        for n in range(1, 51):
            key = params.get(f"TagSpecification.1.Tag.{n}.Key")
            if key:
                tags[key] = params.get(f"TagSpecification.1.Tag.{n}.Value", "")
        self.groups[name] = (params.get("Strategy", "cluster"), tags)
        return 200, xml("CreatePlacementGroup", "<return>true</return>")

    def id_of(self, name):
        return f"pg-{int(hashlib.md5(name.encode()).hexdigest()[:16], 16):017x}"

    def tag(self, action, params):
        """CreateTags and DeleteTags; none when they are about something else."""
        id = params.get("ResourceId.1", "")
        found = [tags for name, (_, tags) in self.groups.items() if self.id_of(name) == id]
        if not found:
            return None
        for n in range(1, 51):
            key = params.get(f"Tag.{n}.Key")
            if key and action == "CreateTags":
                found[0][key] = params.get(f"Tag.{n}.Value", "")
            elif key:
                found[0].pop(key, None)
        return 200, xml(action, "<return>true</return>")

    def delete(self, params):
        if self.groups.pop(params["GroupName"], None) is None:
            return 400, error("InvalidPlacementGroup.Unknown", "no such placement group")
        return 200, xml("DeletePlacementGroup", "<return>true</return>")


class Front:
    """Stands before moto."""

    def __init__(self, app):
        self.app = app
        self.lock = threading.Lock()
        self.forget()

    def forget(self):
        self.denied = set()
        self.placement = PlacementGroups()
        self.fsx = fsx.Fsx()
        self.answers = {}
        self.sent = []
        self.words = {}
        self.boots = False

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"].startswith("/_emulator/"):
            return self.knob(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith(fsx.TARGET):
            with self.lock:
                answer = self.fsx.answer(target, environ["wsgi.input"].read(length))
            return send(start_response, *answer, "application/x-amz-json-1.1")
        kind = environ.get("CONTENT_TYPE", "")
        if environ["REQUEST_METHOD"] == "PUT" and length:
            return self.put(environ, length, start_response)
        if environ["REQUEST_METHOD"] == "GET" and "versioning" in environ.get("QUERY_STRING", ""):
            return self.versioning(environ, start_response)
        if environ["REQUEST_METHOD"] != "POST" or "form-urlencoded" not in kind:
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(length)
        params = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.sent.append(params)
        action = params.get("Action", "")
        if action in self.denied:
            return send(start_response, 403, error("UnauthorizedOperation", "not allowed here"))
        if action == "ListInstanceProfileTags":
            return self.profile_tags(environ, params, start_response)
        doors = {
            "DescribePlacementGroups": self.placement.describe,
            "CreatePlacementGroup": self.placement.create,
            "DeletePlacementGroup": self.placement.delete,
        }
        if action in doors:
            with self.lock:
                return send(start_response, *doors[action](params))
        if action in ("CreateTags", "DeleteTags"):
            with self.lock:
                tagged = self.placement.tag(action, params)
            if tagged:
                return send(start_response, *tagged)
        self.note_rule(action, params)
        if action == "DescribeSecurityGroupRules":
            return self.rules(environ, body, start_response)
        launch = action == "RunInstances"
        # A rule that moto was told a description of is never found again by revoking it.
        told = r"IpPermissions\.\d+\.Groups\.\d+\.Description"
        kept = {k: v for k, v in params.items()
                if not (launch and k.startswith("Placement.")) and not re.fullmatch(told, k)}
        sent = urlencode(kept).encode()
        environ["wsgi.input"] = io.BytesIO(sent)
        environ["CONTENT_LENGTH"] = str(len(sent))
        token = params.get("ClientToken")
        if not token:
            return self.app(environ, start_response)
        with self.lock:
            return self.once((action, token), sent, environ, start_response)

    def call(self, environ, method, query, body, kind=None):
        """Calls moto once more with the same signature; it does not check it."""
        again = dict(environ)
        again["REQUEST_METHOD"], again["QUERY_STRING"] = method, query
        again["wsgi.input"], again["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        for key in [k for k in again if k.startswith("HTTP_X_AMZ_") or k == "HTTP_CONTENT_MD5"]:
            if key not in ("HTTP_X_AMZ_DATE", "HTTP_X_AMZ_CONTENT_SHA256"):
                del again[key]
        if kind:
            again["CONTENT_TYPE"] = kind
        seen = {}

        def remember(status, headers, exc_info=None):
            seen["status"], seen["headers"] = status, headers

        text = b"".join(self.app(again, remember))
        return seen["status"], seen["headers"], text

    def put(self, environ, length, start_response):
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        found = re.search(rb"<CreateBucketConfiguration.*?<Tags>(.*?)</Tags>", body, re.S)
        if not found:
            return self.app(environ, start_response)
        status, headers, text = self.call(environ, "PUT", environ.get("QUERY_STRING", ""), body)
        if status.startswith("200"):
            tagging = b"<Tagging><TagSet>" + found[1] + b"</TagSet></Tagging>"
            self.call(environ, "PUT", "tagging", tagging)
        start_response(status, headers)
        return [text]

    def versioning(self, environ, start_response):
        query = environ["QUERY_STRING"]
        status, headers, text = self.call(environ, "GET", query, b"")
        text = text.replace(b"GetBucketVersioningResponse", b"VersioningConfiguration")
        headers = [(k, v) for k, v in headers if k.lower() != "content-length"]
        start_response(status, headers + [("Content-Length", str(len(text)))])
        return [text]

    def knob(self, environ, start_response):
        word = environ["PATH_INFO"].rsplit("/", 1)[1]
        if word == "reset":
            self.forget()
            moto_api_backend.reset()
        elif word == "deny":
            self.denied.add(environ["QUERY_STRING"])
        elif word == "boot":
            self.boots = True
        elif word == "exit":
            os._exit(0)
        answers = {
            "sent": lambda: self.sent,
            "copy": lambda: worlds.copy(self),
            "open_targets": worlds.open_targets,
            "inventory": lambda: worlds.inventory(self.placement.groups, self.fsx),
            "remove_strangers": lambda: worlds.remove_strangers(self.placement.groups, self.fsx),
        }
        return send(start_response, 200, json.dumps(answers.get(word, lambda: None)()))

    def note_rule(self, action, params):
        direction = {
            "AuthorizeSecurityGroupIngress": "false",
            "AuthorizeSecurityGroupEgress": "true",
        }.get(action)
        peer = params.get("IpPermissions.1.Groups.1.GroupId")
        if direction and peer:
            words = params.get("IpPermissions.1.Groups.1.Description", "")
            self.words[(params["GroupId"], direction, peer)] = words

    def rules(self, environ, body, start_response):
        status, headers, text = self.call(environ, "POST", "", body)

        def describe(match):
            item = match[0]
            found = re.search(
                r"<groupId>(.*?)</groupId><isEgress>(.*?)</isEgress>.*"
                r"<referencedGroupInfo><groupId>(.*?)</groupId>",
                item,
            )
            words = found and self.words.get((found[1], found[2], found[3]))
            if not words or "<description>" in item:
                return item
            return item.replace("<tagSet", f"<description>{escape(words)}</description><tagSet", 1)

        text = re.sub(r"<item><securityGroupRuleId>.*?<tagSet", describe, text.decode(), flags=re.S)
        body = text.encode()
        headers = [(k, v) for k, v in headers if k.lower() != "content-length"]
        start_response(status, headers + [("Content-Length", str(len(body)))])
        return [body]

    def profile_tags(self, environ, params, start_response):
        ask = dict(params, Action="GetInstanceProfile")
        status, headers, text = self.call(environ, "POST", "", urlencode(ask).encode())
        if not status.startswith("200"):
            start_response(status, headers)
            return [text]
        # The role inside has tags of its own: only those behind it count.
        text = re.sub(r"<Roles>.*?</Roles>", "", text.decode(), flags=re.S)
        tags = re.findall(r"<Key>(.*?)</Key>\s*<Value>(.*?)</Value>", text, re.S)
        items = "".join(f"<member><Key>{k}</Key><Value>{v}</Value></member>" for k, v in tags)
        answer = (
            '<ListInstanceProfileTagsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<ListInstanceProfileTagsResult><IsTruncated>false</IsTruncated><Tags>{items}</Tags>"
            "</ListInstanceProfileTagsResult></ListInstanceProfileTagsResponse>"
        )
        return send(start_response, 200, answer)

    def once(self, key, body, environ, start_response):
        digest = hashlib.sha256(body).hexdigest()
        known = self.answers.get(key)
        if known is None:
            seen = {}

            def remember(status, headers, exc_info=None):
                seen["status"], seen["headers"] = status, headers

            text = b"".join(self.app(environ, remember))
            known = (digest, seen["status"], seen["headers"], text)
            if seen["status"].startswith("200"):
                self.answers[key] = known
                if self.boots and key[0] == "RunInstances":
                    worlds.boot_services()
        elif known[0] != digest:
            text = "the token was used with other parameters"
            return send(start_response, 400, error("IdempotentParameterMismatch", text))
        start_response(known[1], known[2])
        return [known[3]]


def send(start_response, status, text, kind="text/xml"):
    body = text.encode()
    word = {200: "200 OK", 400: "400 Bad Request", 403: "403 Forbidden"}[status]
    start_response(word, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


def main():
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    repairs.make()
    worlds.begin()
    app = Front(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
