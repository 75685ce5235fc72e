"""What mlinfra prints as JSON, read by programs that know nothing of it.

tftest and terraform-compliance read plans of Terraform; regopy runs a policy in Rego as OPA does;
jsonschema holds every document to the schema that mlinfra publishes. Where a `terraform` is on the
machine, its own documents are compared in shape, and it reads our outputs as a remote state.

Usage: readers.py MLINFRA QUICKSTART.hcl STATUS.json

The last is what the autoscaler's service has answered at /status.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import tftest
from regopy import Interpreter

SENSITIVE = """
variable "token" {
  default   = "hunter2"
  sensitive = true
}

output "token" {
  value     = var.token
  sensitive = true
}

output "mixed" {
  value = ["a", 1, { on = true, none = null }]
}
"""

MODULES = """
stack "modules" {
  region = "us-east-1"
}

bucket "data" {
  for_each = toset(["eu", "us"])
}

queue "jobs" {
  count = 2
}
"""

MODULE = """
module "team" {
  source = "./team"
}
"""

HANDS = """
stack "hands" {
  region = "us-east-1"
}

bucket "changed" {}

bucket "gone" {}

bucket "untagged" {}

bucket "taken" {}

bucket "elsewhere" {}

network "n" {
  zones = ["a"]
}
"""

SMALL = """
stack "small" {
  region = "eu-west-3"
}

network "n" {
  zones = ["a"]
}

bucket "data" {}

cluster "train" {
  network       = network.n
  instance_type = "g5.8xlarge"
  nodes         = 1
}
"""

BY_HAND = {"name": "by-hand", "versioning": True, "encryption": None, "public_access_block": True,
           "ownership": "BucketOwnerEnforced", "policy": None, "lifecycle": [], "precious": False}

POLICY = """
package mlinfra

import rego.v1

changes := {c | some c in input.resource_changes; c.change.actions != ["no-op"]}

created[kind] := n if {
    some c in changes
    kind := c.type
    n := count({d.address | some d in changes; d.type == kind; "create" in d.change.actions})
}

deny contains message if {
    some c in changes
    c.type == "mlinfra_bucket"
    "delete" in c.change.actions
    message := sprintf("%s would be deleted", [c.address])
}

deny contains message if {
    some c in changes
    c.type == "mlinfra_launch_template"
    c.change.after.metadata.tokens != "required"
    message := sprintf("%s allows IMDSv1", [c.address])
}

deny contains message if {
    some c in changes
    c.type == "mlinfra_node"
    not startswith(c.change.after.instance_type, "g5.")
    message := sprintf("%s is no g5", [c.address])
}
"""

FEATURE = """
Feature: rules of the house
  Scenario: buckets are versioned and encrypted
    Given I have mlinfra_bucket defined
    Then it must contain versioning
    And its value must be true
  Scenario: buckets are encrypted
    Given I have mlinfra_bucket defined
    Then it must contain encryption
    And it must contain algorithm
    And its value must be AES256
  Scenario: instance metadata needs a token
    Given I have mlinfra_launch_template defined
    Then it must contain metadata
    And it must contain tokens
    And its value must be required
"""

BROKEN = """
Feature: a rule that does not hold
  Scenario: buckets are public
    Given I have mlinfra_bucket defined
    Then it must contain public_access_block
    And its value must be false
"""


def check(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}:\n  found  {found}\n  wanted {wanted}")
    print(f"  ok  {what}")


# The formats of which a real document was held to its schema.
JUDGED = set()


class Mlinfra:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.schemas = {}

    def run(self, *args, code=0):
        env = {"PATH": os.environ["PATH"], "MLINFRA_SANDBOX": "1", "MLINFRA_INPUT": "0",
               "HOME": str(self.folder)}
        done = subprocess.run([self.binary, *args], cwd=self.folder, capture_output=True, text=True,
                              env=env, timeout=300)
        if done.returncode != code:
            sys.exit(f"mlinfra {args}: exit code {done.returncode}, and {code} was wanted\n"
                     f"{done.stdout}\n{done.stderr}")
        return done.stdout

    def knows(self, block):
        return block in json.loads(self.run("schema", "language"))["properties"]

    def schema(self, name):
        if name not in self.schemas:
            schema = json.loads(self.run("schema", name))
            jsonschema.Draft202012Validator.check_schema(schema)
            self.schemas[name] = jsonschema.Draft202012Validator(
                schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        return self.schemas[name]

    def judged(self, name, document):
        JUDGED.add(name)
        errors = [f"{list(e.absolute_path)}: {e.message[:300]}"
                  for e in self.schema(name).iter_errors(document)]
        if errors:
            sys.exit(f"a document is not what `mlinfra schema {name}` says:\n" + "\n".join(errors))
        return document

    def lines(self, *args, code=0):
        return [self.judged("events", json.loads(line))
                for line in self.run(*args, code=code).splitlines()]

    def document(self, name, *args, code=0):
        return self.judged(name, json.loads(self.run(*args, code=code)))


def stack(folder, name, text):
    path = Path(folder) / name
    path.mkdir()
    (path / "main.hcl").write_text(text)
    return path


def planned(lines):
    return [line["change"] for line in lines if line["type"] == "planned_change"]


def summary(lines, operation):
    found = [line["changes"] for line in lines if line["type"] == "change_summary"]
    found = [changes for changes in found if changes["operation"] == operation]
    return {key: found[0][key] for key in ("add", "change", "remove")}


def tftest_reads(mlinfra, document, stream):
    """Google's tftest: resources, modules, outputs, variables of a plan."""
    plan = tftest.TerraformPlanOutput(document)
    created = [a for a, c in plan.resource_changes.items() if c["change"]["actions"] == ["create"]]
    check("tftest sees each resource once", len(created), len(document["resource_changes"]))
    check("and as many as the stream sums up", len(created), summary(stream, "plan")["add"])
    check("and by the same names", sorted(created),
          sorted(c["resource"]["addr"] for c in planned(stream)))
    check("values", plan.resources["mlinfra_bucket.datasets"]["values"]["versioning"], True)
    check("nodes", sum(a.startswith("mlinfra_node.cluster_train_nodes[") for a in created), 2)
    check("variables", plan.variables["nodes"], 2)
    check("no secret", "hunter2" in json.dumps(document), False)


def compliance_reads(folder, path, feature, code):
    """terraform-compliance: rules in Gherkin over a plan."""
    features = Path(folder) / f"features-{code}"
    features.mkdir()
    (features / "rules.feature").write_text(feature)
    tool = Path(sys.executable).parent / "terraform-compliance"
    done = subprocess.run([tool, "-p", path, "-f", features, "--no-ansi"], capture_output=True,
                          text=True, timeout=300)
    print("   ", "\n    ".join(done.stdout.strip().splitlines()[-4:]))
    check(f"terraform-compliance ends with {code}", done.returncode, code)
    return done.stdout


def rego(document, query):
    interpreter = Interpreter()
    interpreter.add_module("mlinfra", POLICY)
    interpreter.set_input(document)
    output = json.loads(str(interpreter.query(f"x = data.mlinfra.{query}")))
    return output["bindings"]["x"] if "bindings" in output else output["result"][0]["bindings"]["x"]


def quickstart(binary, folder, text):
    mlinfra = Mlinfra(binary, stack(folder, "quickstart", text + SENSITIVE))
    stream = mlinfra.lines("plan", "--json", "--out", "plan")
    document = mlinfra.document("plan", "show", "--json", "plan")
    path = mlinfra.folder / "plan.json"
    path.write_text(json.dumps(document))
    tftest_reads(mlinfra, document, stream)
    said = compliance_reads(folder, path, FEATURE, 0)
    check("all scenarios were run", "3 scenarios (3 passed)" in said, True)
    compliance_reads(folder, path, BROKEN, 1)
    check("Rego denies nothing", rego(document, "deny"), [])
    counts = rego(document, "created")
    check("Rego counts as the document does", sum(counts.values()),
          len(document["resource_changes"]))

    applied = mlinfra.lines("apply", "--json", "plan")
    started = sorted(line["hook"]["resource"]["addr"] for line in applied
                     if line["type"] == "apply_start")
    check("what starts is what was planned", started,
          sorted(c["resource"]["addr"] for c in planned(stream)))
    done = [line for line in applied if line["type"] == "apply_complete"]
    check("what starts is done", sorted(x["hook"]["resource"]["addr"] for x in done), started)
    check("and has an id", all(x["hook"]["id_value"] for x in done), True)
    check("sums of plan and apply", summary(applied, "apply"), summary(stream, "plan"))
    state = mlinfra.document("show", "show", "--json")
    check("the state holds it", len(state["values"]["root_module"]["resources"]), len(started))
    mlinfra.document("output", "output", "--json")
    status = mlinfra.document("status", "status", "--json")
    check("a status", ([(it["name"], it["nodes"]) for it in status["clusters"]], len(status["nodes"]),
                       status["pending"], status["last_apply"]["outcome"], status["problems"]),
          ([("cluster.train", {"ready": 2})], 2, {"known": True, "changes": None}, "converged", []))
    check("what it costs", (float(status["spend"]["usd_per_hour"]) > 5, status["spend"]["blocks"][0]["block"]),
          (True, "cluster.train"))
    refused(mlinfra, "status", status, lambda other: other["clusters"][0].pop("min"))
    refused(mlinfra, "status", status, lambda other: other["spend"].update(usd_per_hour=5.02))
    refused(mlinfra, "status", status, lambda other: other.update(drift="none"))
    (mlinfra.folder / "jobs.csv").write_text("submit_s,duration_s,gpus\n0,600,1\n60,600,16\n")
    replay = ["autoscale", "simulate", "--trace", "jobs.csv", "--json"]
    check("a replay", mlinfra.document("autoscale-simulate", *replay)["unfinished"], 0)
    both = mlinfra.document("autoscale-simulate", *replay, "--policy", "ours,karpenter")
    check("replays by policy", sorted(both), ["karpenter", "ours"])

    (mlinfra.folder / "main.hcl").write_text(
        (text + SENSITIVE).replace('bucket "datasets" {}', "").replace("bucket.datasets", "bucket.checkpoints"))
    stream = mlinfra.lines("plan", "--json", "--out", "plan", "--replace", "queue.training")
    document = mlinfra.document("plan", "show", "--json", "plan")
    deny = rego(document, "deny")
    check("Rego denies what is deleted", deny, ["mlinfra_bucket.datasets would be deleted"])
    by_action = {}
    for change in document["resource_changes"]:
        by_action.setdefault(tuple(change["change"]["actions"]), []).append(change["address"])
    check("a replacement is two actions", by_action[("delete", "create")], ["mlinfra_queue.training"])
    check("what stays is there as no-op", len(by_action[("no-op",)]) > 10, True)
    reasons = {c["resource"]["addr"]: c.get("reason") for c in planned(stream)}
    check("reasons", (reasons["mlinfra_queue.training"], reasons["mlinfra_bucket.datasets"]),
          ("requested", "delete_because_no_resource_config"))
    mlinfra.lines("apply", "--json", "plan")
    mlinfra.lines("destroy", "--json", "--yes")
    check("an empty state", mlinfra.document("show", "show", "--json")["values"]["root_module"], {})


def modules(binary, folder):
    mlinfra = Mlinfra(binary, stack(folder, "modules", MODULES))
    if mlinfra.knows("module"):
        (mlinfra.folder / "main.hcl").write_text(MODULES + MODULE)
    (mlinfra.folder / "team").mkdir()
    (mlinfra.folder / "team" / "main.hcl").write_text('bucket "data" {}\n')
    mlinfra.lines("plan", "--json", "--out", "plan")
    document = mlinfra.document("plan", "show", "--json", "plan")
    plan = tftest.TerraformPlanOutput(document)
    check("keys are indexes", sorted(plan.resources), [
        'mlinfra_bucket.data["eu"]', 'mlinfra_bucket.data["us"]', "mlinfra_queue.jobs[0]",
        "mlinfra_queue.jobs[1]", "mlinfra_queue.queue_jobs_dead-letter[0]",
        "mlinfra_queue.queue_jobs_dead-letter[1]"])
    if mlinfra.knows("module"):
        check("modules are modules", list(plan.modules), ["module.team"])
        inner = plan.modules["module.team"].resources
        check("and hold their own", list(inner), ["mlinfra_bucket.data"])
        calls = document["configuration"]["root_module"]["module_calls"]
        check("also in the configuration", list(calls), ["team"])
    mlinfra.lines("apply", "--json", "plan")
    mlinfra.document("show", "show", "--json")


def problems(binary, folder):
    mlinfra = Mlinfra(binary, stack(folder, "problems", 'stack "p" {\n  region = "us-east-1"\n  what = 1\n}\n'))
    report = mlinfra.document("validate", "validate", "--json", code=1)
    check("a report", (report["valid"], report["error_count"]), (False, 1))
    lines = mlinfra.lines("plan", "--json", code=1)
    check("a stream with a problem", [line["type"] for line in lines], ["version", "diagnostic"])
    return report


def edits(mlinfra):
    """One of each that other hands, or the cloud, can do to what a stack owns."""
    mlinfra.run("sandbox", "edit", "bucket.changed", "versioning", "false")
    mlinfra.run("sandbox", "delete", "bucket.gone")
    mlinfra.run("sandbox", "tag", "bucket.untagged", "mlinfra:stack")
    mlinfra.run("sandbox", "tag", "bucket.taken", "mlinfra:stack", "others")
    mlinfra.run("sandbox", "tag", "bucket.elsewhere", "mlinfra:address", "bucket.nowhere")
    mlinfra.run("sandbox", "fail", "network.n/nat", "Internal error")
    mlinfra.run("sandbox", "create", "bucket", json.dumps(BY_HAND))
    for key, value in (("stack", "hands"), ("address", "bucket.new"), ("generation", "1"), ("token", "t")):
        mlinfra.run("sandbox", "tag", "by-hand", f"mlinfra:{key}", value)


def refused(mlinfra, name, document, change):
    """A schema that takes everything checks nothing."""
    other = json.loads(json.dumps(document))
    change(other)
    check(f"the schema {name} can refuse", any(mlinfra.schema(name).iter_errors(other)), True)


def catalogued(binary, folder):
    """The catalogue, the doctor and the pins of images: every document as its schema says."""
    mlinfra = Mlinfra(binary, stack(folder, "small", SMALL))
    shipped = mlinfra.document("catalog", "catalog", "show", "--json", "--region", "eu-west-3")
    h100 = [it for it in shipped["types"] if (it["hardware"]["accelerator"] or {}).get("name") == "H100"]
    check("the shipped catalogue", (len(h100) > 1, shipped["refreshed"], shipped["services"]), (True, None, []))
    fresh = mlinfra.document("catalog", "catalog", "refresh", "--json", "--region", "eu-west-3")
    priced = [it for it in fresh["types"] if it["on_demand"] and it["zones"]]
    check("a refreshed one", (len(priced) > 100, len(fresh["services"]) > 5), (True, True))
    refused(mlinfra, "catalog", fresh, lambda other: other["types"][0].pop("source"))
    refused(mlinfra, "catalog", fresh, lambda other: other["types"][0]["on_demand"].update(usd=1.5))
    mlinfra.run("catalog", "clear")
    well = mlinfra.document("doctor", "doctor", "--json")
    check("a doctor", (well["well"], well["policy"]), (True, None))
    mlinfra.run("sandbox", "set", "denied", "s3:CreateBucket,iam:CreateRole")
    ill = mlinfra.document("doctor", "doctor", "--json", code=1)
    check("what is missing", (ill["well"], ill["policy"]["Statement"][0]["Action"]),
          (False, ["iam:CreateRole", "s3:CreateBucket"]))
    refused(mlinfra, "doctor", ill, lambda other: other["checks"][0].update(status="fine"))
    refused(mlinfra, "doctor", ill, lambda other: other["policy"].pop("Version"))
    mlinfra.run("sandbox", "set", "denied", "none")
    pins = mlinfra.document("update", "update", "--json")
    check("pins of images", (pins["written"], all(pin["changed"] for pin in pins["images"])), (True, True))
    refused(mlinfra, "update", pins, lambda other: other["images"][0].pop("after"))
    refused(mlinfra, "update", pins, lambda other: other["images"][0].update(pinned="today"))


def drifted(mlinfra):
    bill = mlinfra.document("cost", "cost", "--json")
    check("what it costs", (bill["currency"], float(bill["after"]["usd_per_hour"]) > 0), ("USD", True))
    refused(mlinfra, "cost", bill, lambda other: other.pop("currency"))
    refused(mlinfra, "cost", bill, lambda other: other["after"].update(usd_per_hour=1.5))
    document = mlinfra.document("drift", "drift", "--json")
    check("no drift", (document["objects"] > 10, document["drift"]), (True, []))
    edits(mlinfra)
    document = mlinfra.document("drift", "drift", "--json", code=2)
    told = {each["address"]: (each["change"], each.get("stack")) for each in document["drift"]}
    check("each sort of drift", told, {
        "bucket.changed": ("changed", None), "bucket.gone": ("gone", None),
        "bucket.untagged": ("disowned", None), "bucket.taken": ("disowned", "others"),
        "bucket.elsewhere": ("moved", None), "bucket.new": ("appeared", None),
        "network.n/nat": ("failed", None)})
    sorts = mlinfra.schema("drift").schema["$defs"]["object"]["oneOf"]
    known = [word for sort in sorts for word in
             sort["properties"]["change"].get("enum", [sort["properties"]["change"].get("const")])]
    check("and no other is published", sorted({sort for sort, _ in told.values()}), sorted(known))
    for at, each in enumerate(document["drift"]):
        refused(mlinfra, "drift", document, lambda other: other["drift"][at].update(change="odd"))
        refused(mlinfra, "drift", document, lambda other: other["drift"][at].pop("id"))
        more = "fields" if each["change"] != "changed" else "to"
        refused(mlinfra, "drift", document, lambda other: other["drift"][at].update({more: "x"}))
    # The same in Terraform's words: what is not ours any more is gone, what was added is nothing.
    lines = [line["change"] for line in mlinfra.lines("plan", "--json", "--out", "plan")
             if line["type"] == "resource_drift"]
    stream = {line["resource"]["addr"]: line["action"] for line in lines}
    document = mlinfra.document("plan", "show", "--json", "plan")
    saved = {each["address"]: each["change"]["actions"][0] for each in document["resource_drift"]}
    check("a plan's drift", (stream, saved), (saved, {
        "mlinfra_bucket.changed": "update", "mlinfra_bucket.elsewhere": "delete",
        "mlinfra_bucket.gone": "delete", "mlinfra_bucket.taken": "delete",
        "mlinfra_bucket.untagged": "delete", "mlinfra_nat_gateway.network_n_nat": "update"}))
    change = document["resource_drift"][0]["change"]
    check("from what was applied to what is there",
          (change["before"]["versioning"], change["after"]["versioning"]), (True, False))


def books(binary, folder):
    """Drift, history and ledger: every document as its schema says."""
    mlinfra = Mlinfra(binary, stack(folder, "hands", HANDS))
    check("no apply yet", mlinfra.document("history", "history", "--json")["applies"], [])
    mlinfra.document("ledger", "ledger", "show", "--json")
    mlinfra.document("ledger-verify", "ledger", "verify", "--json")
    for line in mlinfra.lines("drift", "--json", code=2):
        check("without a baseline drift is a stream", line["type"] in
              ("diagnostic", "planned_change", "change_summary"), True)
    mlinfra.run("apply", "--yes")
    drifted(mlinfra)
    mlinfra.run("sandbox", "set", "faults", "deny@s3:CreateBucket")
    mlinfra.run("apply", "--yes", code=1)
    mlinfra.run("sandbox", "edit", "bucket.changed", "versioning", "false")
    mlinfra.run("apply", "--yes", "--target", "bucket.changed")
    history = mlinfra.document("history", "history", "--json")
    check("outcomes", [(each["outcome"], each["targets"]) for each in history["applies"]],
          [("converged", []), ("failed", []), ("targeted", ["bucket.changed"])])
    for each in history["applies"]:
        shown = mlinfra.document("history-show", "history", "show", str(each["number"]), "--json")
        check("one of them alone", shown, each)
        refused(mlinfra, "history-show", shown, lambda other: other.update(outcome="odd"))
        refused(mlinfra, "history-show", shown, lambda other: other["steps"][0].pop("failure"))
    check("a step that failed", any(step["failure"] for step in history["applies"][1]["steps"]), True)
    refused(mlinfra, "history", history, lambda other: other["applies"][0].pop("number"))
    shown = mlinfra.document("ledger", "ledger", "show", "--json")
    refused(mlinfra, "ledger", shown, lambda other: other.update(serial="1"))
    check("three applies", (shown["applies"], shown["lock"]), (3, None))
    whole = mlinfra.document("ledger-verify", "ledger", "verify", "--json")
    refused(mlinfra, "ledger-verify", whole, lambda other: other.update(whole=False))
    applied = next((mlinfra.folder / ".mlinfra" / "applied").iterdir())
    applied.write_bytes(applied.read_bytes().replace(b"AES256", b"aws:kms", 1))
    damaged = mlinfra.document("ledger-verify", "ledger", "verify", "--json", code=1)
    check("damage is named", [each["place"] for each in damaged["damage"]], [f"applied/{applied.name}"])
    in_flight(mlinfra)


def in_flight(mlinfra):
    """A ledger that somebody holds, and in whose journal a call has begun and not ended."""
    applied = next((mlinfra.folder / ".mlinfra" / "applied").iterdir())
    applied.unlink()
    lock = mlinfra.folder / ".mlinfra" / "lock-stack"
    holder = {"who": "ada@desk", "pid": 4711, "doing": "apply", "since": "2026-01-01T00:00:00Z"}
    with open(lock, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate()
        file.write(json.dumps(holder))
        file.flush()
        shown = mlinfra.document("ledger", "ledger", "show", "--json")
        check("a lock that is held", shown["lock"], holder)
    # As a death right after the first intent leaves it.
    shutil.rmtree(mlinfra.folder / ".mlinfra")
    mlinfra.run("sandbox", "reset")
    mlinfra.run("apply", "--yes")
    ledger = mlinfra.folder / ".mlinfra"
    log = ledger / "journal" / "0000000000.log"
    lines = log.read_bytes().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if b'"intent"' in line.lower())
    log.write_bytes(b"".join(lines[:first + 1]))
    (ledger / "state").unlink()
    shutil.rmtree(ledger / "backups", ignore_errors=True)
    intents = mlinfra.document("ledger", "ledger", "show", "--json")["open_intents"]
    check("a call that has not ended", len(intents) > 0, True)


# -- the real terraform ---------------------------------------------------------------------------

MAIN_TF = """
variable "nodes" {
  type    = number
  default = 2
}
variable "token" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "one" { input = var.nodes }
resource "terraform_data" "many" {
  for_each         = toset(["eu"])
  input            = terraform_data.one.id
  triggers_replace = var.nodes
}
module "m" { source = "./m" }
output "token" {
  value     = var.token
  sensitive = true
}
output "id" { value = terraform_data.one.id }
output "mixed" { value = ["a", 1, { on = true, none = null }] }
"""


class Terraform:
    def __init__(self, folder):
        self.folder = Path(folder)

    def run(self, *args, code=0):
        env = {"PATH": os.environ["PATH"], "CHECKPOINT_DISABLE": "1", "HOME": str(self.folder)}
        done = subprocess.run(["terraform", *args], cwd=self.folder, capture_output=True, text=True,
                              env=env, timeout=300)
        if done.returncode != code:
            sys.exit(f"terraform {args}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout


# Where names are the author's and not the format's.
FREE = {"variables", "values", "sensitive_values", "before", "after", "after_unknown", "outputs",
        "output_changes", "before_sensitive", "after_sensitive", "expressions", "provider_config",
        "module_calls", "expression", "mlinfra", "value", "type", "replace_paths"}
# What Terraform says and we do not: `relevant_attributes` is about its own drift detection, and
# of the configuration only that is known which objects show.
UNSAID = (
    ".relevant_attributes",
    ".configuration.root_module.variables",
    ".configuration.root_module.resources[].for_each_expression",
)
MODULES_UNSAID = (
    ".configuration.root_module.module_calls",
    ".planned_values.root_module.child_modules",
    ".prior_state.values.root_module.child_modules",
    ".values.root_module.child_modules",
    ".resource_changes[].module_address",
)


def shape(value, path=""):
    """Each key with the JSON types that stand there."""
    found = {}
    if isinstance(value, dict):
        for key, inner in value.items():
            for place, types in {f"{path}.{key}": {type(inner).__name__}}.items():
                found.setdefault(place, set()).update(types)
            if key not in FREE:
                for place, types in shape(inner, f"{path}.{key}").items():
                    found.setdefault(place, set()).update(types)
            elif key in ("outputs", "output_changes", "variables") and isinstance(inner, dict):
                for each in inner.values():
                    for place, types in shape(each, f"{path}.{key}.*").items():
                        found.setdefault(place, set()).update(types)
    elif isinstance(value, list):
        for inner in value:
            for place, types in shape(inner, f"{path}[]").items():
                found.setdefault(place, set()).update(types)
    return found


def compare(what, theirs, ours, unsaid=()):
    """Every key of Terraform's stands in ours, with a type that it has there, too."""
    theirs, ours = shape(theirs), shape(ours)
    lacking = sorted(key for key in theirs if key not in ours
                     and not any(key.startswith(each) for each in unsaid))
    check(f"{what}: nothing of Terraform's is lacking", lacking, [])
    number = {"int", "float"}
    odd = {key: (theirs[key], ours[key]) for key in theirs.keys() & ours.keys()
           if not theirs[key] & ours[key] and not (theirs[key] & number and ours[key] & number)
           and "NoneType" not in theirs[key] | ours[key] and not key.endswith(".value")}
    check(f"{what}: and it is of the same type", odd, {})


def of_type(lines, kind):
    return [line for line in lines if line["type"] == kind]


def compare_streams(theirs, ours):
    for kind in ("version", "planned_change", "change_summary", "outputs", "apply_start",
                 "apply_complete"):
        one, other = of_type(theirs, kind), of_type(ours, kind)
        check(f"{kind}: there are such lines", (bool(one), bool(other)), (True, True))
        compare(kind, one, other)


def like_terraform(binary, folder, text, report):
    real = Terraform(folder / "tf")
    (real.folder / "m").mkdir(parents=True)
    (real.folder / "main.tf").write_text(MAIN_TF)
    (real.folder / "m" / "main.tf").write_text('resource "terraform_data" "in" {}\n')
    real.run("init", "-no-color")
    with_module = Mlinfra(binary, folder / "quickstart").knows("module")
    ours = Mlinfra(binary, stack(folder, "compared", MODULES + MODULE * with_module + SENSITIVE
                   + 'variable "nodes" {\n  default = 2\n}\noutput "id" {\n  value = queue.jobs[0].arn\n}\n'
                   + 'network "n" {\n  nat = "none"\n  zones = ["a"]\n}\n'))
    (ours.folder / "team").mkdir()
    (ours.folder / "team" / "main.hcl").write_text('bucket "data" {}\n')
    lines = [json.loads(line) for line in real.run("plan", "-json", "-out=p").splitlines()]
    stream = ours.lines("plan", "-json", "-out=p")
    unsaid = UNSAID if with_module else UNSAID + MODULES_UNSAID
    compare("plan", json.loads(real.run("show", "-json", "p")),
            ours.document("plan", "show", "-json", "p"), unsaid)
    lines += [json.loads(line) for line in real.run("apply", "-json", "p").splitlines()]
    stream += ours.lines("apply", "-json", "p")
    compare_streams(lines, stream)
    compare("state", json.loads(real.run("show", "-json")), ours.document("show", "show", "-json"),
            unsaid)
    outputs = json.loads(real.run("output", "-json"))
    check("an output of many types", ours.document("output", "output", "-json")["mixed"], outputs["mixed"])
    # A replacement, an update, and what stays.
    lines = real.run("plan", "-json", "-out=p", "-var", "nodes=3")
    theirs = json.loads(real.run("show", "-json", "p"))
    main = ours.folder / "main.hcl"
    main.write_text(main.read_text().replace('nat = "none"', 'nat = "none"\n  cidr = "10.9.0.0/16"'))
    ours.lines("plan", "-json", "-out=p", "-replace=queue.jobs[0]")
    document = ours.document("plan", "show", "-json", "p")
    compare("plan of changes", theirs, document, unsaid)
    kinds = {tuple(c["change"]["actions"]) for c in theirs["resource_changes"]}
    check("both replace", (("delete", "create") in kinds,
          any(c["change"]["actions"] == ["delete", "create"] for c in document["resource_changes"])),
          (True, True))
    (real.folder / "main.tf").write_text(MAIN_TF + 'output "bad" {\n  value = nothing.at.all\n}\n')
    compare("validate", json.loads(real.run("validate", "-json", code=1)), report)


def remote_state(binary, folder):
    ours = Mlinfra(binary, stack(folder, "remote", MODULES + SENSITIVE
                   + 'output "arn" {\n  value = bucket.data["eu"].arn\n}\n'
                   + 'output "map" {\n  value = { a = "x", b = 2 }\n}\n'))
    ours.run("apply", "--yes")
    (folder / "remote" / "terraform.tfstate").write_text(ours.run("output", "--terraform-state"))
    reader = Terraform(folder / "reader")
    reader.folder.mkdir()
    (reader.folder / "main.tf").write_text("""
data "terraform_remote_state" "mlinfra" {
  backend = "local"
  config  = { path = "../remote/terraform.tfstate" }
}
output "arn" { value = data.terraform_remote_state.mlinfra.outputs.arn }
output "mixed" { value = data.terraform_remote_state.mlinfra.outputs.mixed }
output "b" { value = data.terraform_remote_state.mlinfra.outputs.map.b + 1 }
output "token" {
  value     = data.terraform_remote_state.mlinfra.outputs.token
  sensitive = true
}
""")
    reader.run("init", "-no-color")
    reader.run("apply", "-auto-approve", "-no-color")
    read = json.loads(reader.run("output", "-json"))
    check("terraform_remote_state reads an ARN", read["arn"]["value"],
          "arn:aws:s3:::modules-data-eu-000000000000-us-east-1-an")
    check("a tuple with its types", read["mixed"]["type"],
          ["tuple", ["string", "number", ["object", {"none": "dynamic", "on": "bool"}]]])
    check("a number that it can reckon with", read["b"]["value"], 3)
    check("a secret", read["token"]["value"], "hunter2")
    # Terraform takes the document for a state of its own.
    own = Terraform(folder / "remote")
    said = json.loads(own.run("output", "-json", "-state=terraform.tfstate"))
    check("the secret is marked", (said["token"]["sensitive"], said["arn"]["sensitive"]), (True, False))
    check("the same outputs", said, ours.document("output", "output", "--json"))


def autoscaler(binary, folder, path):
    """The one document that no command prints."""
    mlinfra = Mlinfra(binary, folder / "quickstart")
    status = json.loads(Path(path).read_text())
    mlinfra.judged("autoscale-status", status)
    train = status["clusters"]["cluster.train"]
    check("decisions stand in it", bool(train["log"] and train["decision"]["considered"]), True)
    refused(mlinfra, "autoscale-status", status,
            lambda it: it["clusters"]["cluster.train"]["sums"].update(per_hour=55))
    refused(mlinfra, "autoscale-status", status,
            lambda it: it["clusters"]["cluster.train"]["log"][0]["decision"]["launches"][0].update(reason={"reason": "whim"}))


def main():
    binary, text = sys.argv[1], Path(sys.argv[2]).read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        quickstart(binary, folder, text)
        modules(binary, folder)
        report = problems(binary, folder)
        books(binary, folder)
        catalogued(binary, folder)
        autoscaler(binary, folder, sys.argv[3])
        listed = set(json.loads(Mlinfra(binary, folder / "quickstart").run("schema", "--list", "--json")))
        print(f"  schemas: {sorted(listed)}")
        check("documents of each were judged", sorted(JUDGED | {"language"}), sorted(listed))
        if shutil.which("terraform"):
            like_terraform(binary, folder, text, report)
            remote_state(binary, folder)
            print("readers: all of it holds")
        else:
            print("readers: all of it holds, but there is NO TERRAFORM on this machine:")
            print("NOT CHECKED: the shapes of its documents, and terraform_remote_state")


main()
