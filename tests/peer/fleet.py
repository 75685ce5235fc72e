"""From a queue to nodes and back, with everything as a process of its own: the service, the
agents, the workers, the jobs. This script is the rest of the world: it sends jobs, and for every
instance that appears it plays the machine (its metadata service, its boot, its end).

On the way the service is killed at random and begun anew, two of them run at once, an agent is
killed, and a machine is lost with the job that it had. In the end every job has run, what was
lost has come back and run again, nobody else was disturbed, no node, template or process is
left that nobody owns, and the plan is empty.

Usage: fleet.py MLINFRA STACK_FILE moto|sandbox
MLINFRA_SEED repeats the times of a run that went wrong.
"""

import base64
import gzip
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from roundtrip import ENV, HERE, check

STACK = "fleet"
MOST = 4
NODES = "cluster.train/nodes"
DRAIN = "mlinfra:drain"
# Where the long set-up stands.
SHELF, KEY = "fleet-setup-train-123456789012-us-east-1-an", "mlinfra/setup"
# Jobs of the first wave, and of the one that comes when nodes are about to go.
FIRST, SECOND = 20, 4
PATIENCE = 600
# The stack's visibility timeout.
HIDDEN = 30
# How long before now a node may have been marked to be counted on: the stack's `cordon_time` is
# 40 s, and what was decided before the work came may still be carried out.
YOUNG = 25
MARK = "MLINFRA_FLEET_TEST"


class Moto:
    """Instances and a queue of the emulator, by boto3."""

    def __init__(self, endpoint, folder):
        import boto3

        os.environ.update(AWS_ENDPOINT_URL=endpoint)
        self.ec2, self.sqs, self.s3 = (boto3.client(name) for name in ("ec2", "sqs", "s3"))
        self.s3.create_bucket(Bucket="acme-ledgers")
        self.s3.put_bucket_versioning(
            Bucket="acme-ledgers", VersioningConfiguration={"Status": "Enabled"})
        self.agent = []

    def ready(self):
        self.queue = self.sqs.get_queue_url(QueueName="fleet-jobs")["QueueUrl"]
        self.dead = self.sqs.get_queue_url(QueueName="fleet-jobs-dead")["QueueUrl"]

    def nodes(self):
        """Those that stand: whether they run, and their mark."""
        found = self.ec2.describe_instances(Filters=[
            {"Name": "tag:mlinfra:stack", "Values": [STACK]},
            {"Name": "tag:mlinfra:address", "Values": [NODES]},
            {"Name": "instance-state-name", "Values": ["pending", "running"]}])
        every = [i for r in found["Reservations"] for i in r["Instances"]]
        tags = lambda i: {t["Key"]: t["Value"] for t in i["Tags"]}
        return {i["InstanceId"]: (i["State"]["Name"] == "running", tags(i).get(DRAIN))
                for i in every}

    def end(self, id):
        self.ec2.terminate_instances(InstanceIds=[id])

    def send(self, jobs):
        for job in jobs:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(job))

    def turn(self):
        pass

    def depth(self, url=None):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url or self.queue, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def set_up(self, lines, key):
        """The long set-up stands in a bucket that nobody else reads, as its template says."""
        import boto3

        arn = f"arn:aws:s3:::{SHELF}/{key}"
        content = self.s3.get_object(Bucket=SHELF, Key=key)["Body"].read()
        head = b"#!/bin/bash\nset -euo pipefail\necho "
        check(f"{key} holds {lines} lines",
              (content.startswith(head), len(content.splitlines())), (True, lines + 2))
        template = self.ec2.describe_launch_template_versions(
            LaunchTemplateName="fleet-train" if key == KEY else "fleet-train-g2")
        data = template["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"]
        data = base64.b64decode(data)
        check("user data is small enough", len(data) < 16384, True)
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        told = f"{arn}\n      {hashlib.sha256(content).hexdigest()}\n"
        check("it says what it is, and its checksum", told.encode() in data, True)
        iam = boto3.client("iam")
        policy = iam.get_role_policy(RoleName="fleet-train-us-east-1", PolicyName="fleet-setup")
        check("nodes may read that one, and nothing else", [
            (s["Action"], s["Resource"]) for s in policy["PolicyDocument"]["Statement"]],
            [("s3:GetObject", arn)])
        block = self.s3.get_public_access_block(Bucket=SHELF)["PublicAccessBlockConfiguration"]
        check("its bucket is closed, versioned and encrypted", (
            set(block.values()), self.s3.get_bucket_versioning(Bucket=SHELF)["Status"],
            len(self.s3.get_bucket_encryption(Bucket=SHELF)["ServerSideEncryptionConfiguration"])),
            ({True}, "Enabled", 1))
        versions = self.s3.list_object_versions(Bucket=SHELF)
        check("and holds nothing else", [v["Key"] for v in versions["Versions"]], [key])

    def gone(self):
        names = [b["Name"] for b in self.s3.list_buckets()["Buckets"]]
        check("of the buckets only the ledger's is left", names, ["acme-ledgers"])

    def left(self):
        """What a cluster that nobody needs has: no nodes, one template."""
        ours = [{"Name": "tag:mlinfra:stack", "Values": [STACK]}]
        templates = self.ec2.describe_launch_templates(Filters=ours)["LaunchTemplates"]
        check("no message was given up", self.depth(self.dead), 0)
        check("one launch template", len(templates), 1)


class Sandbox:
    """Instances and a queue of the simulated region, by the commands that play strangers. Its
    queue is a depth only: the messages are files."""

    def __init__(self, binary, folder):
        os.environ.update(MLINFRA_SANDBOX=str(folder / "world"), MLINFRA_SANDBOX_CLOCK="real")
        self.binary, self.folder = binary, folder
        self.queue = str(folder / "queue")
        self.waiting, self.taken = Path(self.queue) / "waiting", Path(self.queue) / "taken"
        self.waiting.mkdir(parents=True)
        self.taken.mkdir()
        tag = folder / "tag"
        tag.write_text(
            '#!/bin/sh\nid=$(cat "$MLINFRA_NODE/id")\nfor tag; do\n'
            f'  "{binary}" sandbox tag "$id" "${{tag%%=*}}" "${{tag#*=}}" >/dev/null || exit 1\n'
            "done\n")
        tag.chmod(0o755)
        self.agent = ["--tag-with", str(tag)]
        self.told = 0
        self.say("set", "account", "123456789012")
        self.say("set", "boot_seconds", "3")

    def say(self, *words):
        done = subprocess.run([self.binary, "sandbox", *words], cwd=self.folder / "stack",
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"sandbox {words}: {done.stderr}")

    def ready(self):
        self.turn()

    def nodes(self):
        done = subprocess.run([self.binary, "nodes", "--json"], cwd=self.folder / "stack",
                              capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)["nodes"]
        return {n["id"]: (n["state"] != "pending", n["mark"]) for n in found
                if n["state"] not in ("terminating", "gone", "failed")}

    def end(self, id):
        # It may have gone just now.
        subprocess.run([self.binary, "sandbox", "delete", id], cwd=self.folder / "stack",
                       capture_output=True)

    def send(self, jobs):
        for job in jobs:
            draft = self.folder / "draft"
            draft.write_text(json.dumps(job))
            draft.rename(self.waiting / job["id"])
        self.turn()

    def turn(self):
        """Gives back what was taken for too long, and tells the region how much waits."""
        for file in self.taken.iterdir():
            try:
                if time.time() - file.stat().st_mtime > HIDDEN:
                    file.rename(self.waiting / file.name)
            except FileNotFoundError:
                pass
        now = len(list(self.waiting.iterdir()))
        if now != self.told:
            word = "put" if now > self.told else "take"
            self.say(word, "queue.jobs", str(abs(now - self.told)))
            self.told = now

    def depth(self):
        return len(list(self.waiting.iterdir())) + len(list(self.taken.iterdir()))

    def set_up(self, lines, key):
        pass

    def gone(self):
        pass

    def left(self):
        pass


class Metadata(http.server.BaseHTTPRequestHandler):
    """Instance metadata, version 2, of one machine."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        self.answer(200 if self.path == "/latest/api/token" else 404, "token")

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") != "token":
            return self.answer(401)
        node = self.server.node
        found = {"instance-id": node.id, "placement/region": "us-east-1",
                 f"tags/instance/{DRAIN}": node.mark}
        text = found.get(self.path.removeprefix("/latest/meta-data/"))
        self.answer(404 if text is None else 200, text or "")

    def log_message(self, *words):
        pass


class Node:
    """A machine: what runs on it, and what its metadata service says."""

    def __init__(self, yard, id):
        self.yard, self.id, self.mark = yard, id, None
        self.folder = yard.folder / "nodes" / id
        (self.folder / "run").mkdir(parents=True)
        (self.folder / "id").write_text(id)
        self.log = open(self.folder / "log", "w")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
        self.server.daemon_threads, self.server.node = True, self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.born, self.worker, self.agent = time.time(), None, None
        self.power_on()

    def start(self, *words):
        env = dict(os.environ, MLINFRA_NODE=str(self.folder), **{MARK: str(self.yard.folder)})
        return subprocess.Popen(words, cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                                stdout=self.log, stderr=self.log, start_new_session=True)

    def power_on(self):
        metadata = f"http://127.0.0.1:{self.server.server_port}"
        self.agent = self.start(
            self.yard.binary, "node", "--metadata", metadata, "--every", "0.5", "--dir",
            self.folder / "run", "--power-off", f"touch {self.folder}/off", *self.yard.world.agent)

    def turn(self):
        """What happens on a machine by itself: it boots, its agent is kept alive, it ends."""
        if self.worker is None and time.time() > self.born + 2:
            draft = self.folder / "run/boot.new"
            draft.write_text("ready\n\n")
            draft.rename(self.folder / "run/boot")
            self.worker = self.start(sys.executable, HERE / "fleet_worker.py", self.yard.binary,
                                     self.folder, self.yard.log, self.yard.world.queue)
        if self.agent.poll() is not None:
            self.power_on()
        if (self.folder / "off").exists():
            self.yard.world.end(self.id)

    def is_busy(self):
        return any((self.folder / "run/jobs").glob("[0-9]*"))

    def power_off(self):
        """The power goes, whatever runs."""
        for process in (self.agent, self.worker):
            if process is not None:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
        self.server.shutdown()
        self.server.server_close()
        self.log.close()


class Service:
    """`mlinfra autoscale run`."""

    started = 0

    def __init__(self, yard):
        Service.started += 1
        self.log = yard.folder / f"service-{Service.started}.log"
        env = dict(os.environ, **{MARK: str(yard.folder)})
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [yard.binary, "autoscale", "run", "--every", "2", "--listen", "127.0.0.1:0"],
                cwd=yard.folder / "stack", env=env, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL)

    def kill(self):
        check_that(self.process.poll() is None, f"the service ended by itself: {self.said()}")
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Politely: it gives back the lead."""
        begun = time.time()
        self.process.terminate()
        code = self.process.wait(60)
        check("the service ends as it is asked to", (code, time.time() - begun < 25), (0, True))

    def said(self):
        return self.log.read_text()

    def metrics(self):
        found = [l for l in self.said().splitlines() if "answers at " in l]
        if not found:
            return ""
        with urllib.request.urlopen(found[0].split("answers at ")[1].rstrip("/") + "/metrics") as answer:
            return answer.read().decode()


def check_that(holds, words):
    if not holds:
        sys.exit(words)


class Chaos:
    """What goes wrong, and when."""

    def __init__(self, yard, dice):
        self.yard, self.dice = yard, dice
        self.services, self.killed = [Service(yard)], 0
        self.next, self.lost, self.agents, self.both, self.waves = 0, None, 0, 0, 0

    def turn(self, now):
        """One thing at most."""
        if self.next == 0 and self.yard.nodes:
            self.next = now + self.dice.uniform(0, 4)
        if self.waves != self.yard.waves == 1:
            # Whoever leads dies as work comes for nodes that are about to go.
            self.next = now + self.dice.uniform(0, 2)
        self.waves = self.yard.waves
        busy = [node for node in self.yard.nodes.values() if node.is_busy()]
        ends = self.yard.ends()
        fresh = self.yard.fresh(now)
        if self.lost is None and fresh and ends > 3:
            self.lost = self.dice.choice(fresh)
            print(f"  {now:5.1f} s  {self.lost.id} is lost, with its job", flush=True)
            self.yard.lose(self.lost)
        elif self.agents < 2 and busy and ends > 5 + 4 * self.agents:
            self.agents += 1
            self.dice.choice(busy).agent.kill()
        elif self.next and now >= self.next and not self.yard.is_over():
            self.services.pop(self.dice.randrange(len(self.services))).kill()
            self.killed += 1
            # A lease has to run out before another leads: more often than that nobody would.
            self.next = now + self.dice.uniform(6, 18)
            while len(self.services) < self.dice.choice([1, 1, 2]):
                self.services.append(Service(self.yard))
            self.both = max(self.both, len(self.services))


class Yard:
    """All of it."""

    def __init__(self, binary, folder, world, seed):
        self.binary, self.folder, self.world = binary, folder, world
        self.log, self.nodes, self.gone = folder / "jobs.log", {}, []
        self.log.touch()
        self.dice, self.begun, self.waves, self.most = random.Random(seed), time.time(), 0, 0
        self.sent, self.seen, self.marked = {}, {}, {}
        self.back, self.stood = set(), set()

    def run(self, *args, code=0):
        done = subprocess.run([self.binary, *args], cwd=self.folder / "stack",
                              capture_output=True, text=True, timeout=300)
        print(f"$ mlinfra {' '.join(args)}\n  exit code {done.returncode}", flush=True)
        check_that(done.returncode == code, f"{code} was wanted\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def lines(self, word):
        """Node by job, for all that began or ended."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return [(job, node) for what, job, node in lines if what == word]

    def ends(self):
        return len(self.lines("end"))

    def fresh(self, now):
        """Nodes whose job has just begun and takes a while."""
        running = set(self.lines("begin")) - set(self.lines("end"))
        found = []
        for job, node in sorted(running):
            since = self.seen.setdefault((job, node), now)
            if now - since < 1.5 and self.sent[job]["seconds"] >= 4 and node in self.nodes:
                found.append(self.nodes[node])
        return found

    def send(self, count):
        jobs = [{"id": f"job-{len(self.sent) + n:02}", "seconds": self.dice.randint(2, 7)}
                for n in range(count)]
        self.sent.update((job["id"], job) for job in jobs)
        self.world.send(jobs)

    def lose(self, node):
        node.power_off()
        self.world.end(node.id)
        self.gone.append(self.nodes.pop(node.id))

    def look(self):
        alive = self.world.nodes()
        gone = {node.id for node in self.gone}
        self.most = max(self.most, len(alive))
        for id, (runs, mark) in alive.items():
            if id not in self.nodes and id not in gone and runs:
                self.nodes[id] = Node(self, id)
            if id in self.nodes:
                self.nodes[id].mark = mark
            if mark is None:
                self.marked.pop(id, None)
            else:
                self.marked.setdefault(id, time.time())
        for id in [id for id in self.nodes if id not in alive]:
            self.nodes[id].power_off()
            self.gone.append(self.nodes.pop(id))
        return alive

    def is_over(self):
        return self.waves == 2 and not self.nodes and self.world.depth() == 0

    def live(self, chaos):
        """Until all jobs have run and no node stands."""
        self.send(FIRST)
        while True:
            now = time.time() - self.begun
            alive = self.look()
            self.world.turn()
            for node in list(self.nodes.values()):
                node.turn()
            marked = [node for node in self.nodes.values() if node.mark == "cordon"]
            if self.waves == 0 and self.ends() >= FIRST and 0 < len(marked) == len(alive):
                print(f"  {now:5.1f} s  work comes as {len(marked)} nodes are about to go", flush=True)
                self.waves = 1
                self.back = {node.id for node in marked
                             if time.time() - self.marked[node.id] < YOUNG}
                self.stood = set(self.nodes) | {node.id for node in self.gone}
                self.send(SECOND)
            if self.waves == 1 and self.ends() >= FIRST + SECOND:
                self.waves = 2
            chaos.turn(now)
            if not alive and self.is_over():
                return now
            check_that(now < PATIENCE, f"not over after {now:.0f} s: {self.state(chaos)}")
            time.sleep(0.5)

    def state(self, chaos):
        said = "".join(f"\n{s.log.name}:\n{s.said()}" for s in chaos.services)
        return (f"{self.ends()} ends, {self.world.depth()} messages, {self.world.nodes()}"
                f"\n{self.log.read_text()}{said}")


def judge(yard, chaos):
    """What became of the jobs."""
    begins, ends = yard.lines("begin"), yard.lines("end")
    check("every job ran to its end, and once", sorted(job for job, _ in ends), sorted(yard.sent))
    cut = sorted(set(begins) - set(ends))
    check("only what a machine took with it was cut off", [node for _, node in cut],
          [chaos.lost.id])
    again = [node for job, node in ends if job == cut[0][0]]
    check("that came back and ran elsewhere", len(again) == 1 and again[0] != chaos.lost.id, True)
    check("never more nodes than may be", yard.most <= MOST, True)
    check("never two of a job at once", len(begins), len(yard.sent) + 1)
    worked = {node for _, node in ends}
    late = {node for job, node in ends if job >= f"job-{FIRST:02}"}
    # No more come than jobs exceed the nodes that were about to go: these are taken back first,
    # whoever dies on the way. A node that was lost later is missed, and replaced.
    after = {node.id for node in yard.gone} - yard.stood
    missed = len({chaos.lost.id} & yard.back)
    most = max(0, SECOND - len(yard.back)) + missed
    print(f"  work came for {len(yard.back)} nodes about to go: {len(late & yard.back)} of them took "
          f"it, {len(after)} more came, {most} may")
    check("nodes that were about to go took work that came", bool(late & yard.back), True)
    check("and no more came than jobs exceed them", len(after) <= most, True)
    check("the service was killed again and again, and two ran at once",
          (chaos.killed > 5, chaos.both), (True, 2))
    print(f"  {chaos.killed} kills, {len(worked)} nodes worked, {len(yard.gone)} nodes in all")


def strays(folder):
    """Processes that carry our mark."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={folder}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass
    return found


def whole(yard):
    yard.run("apply", "--yes")
    yard.run("plan", "--detailed-exitcode")
    yard.world.ready()
    yard.world.set_up(900, KEY)
    chaos = Chaos(yard, yard.dice)
    try:
        took = yard.live(chaos)
        print(f"  {took:5.1f} s  all jobs have run, and no node is left", flush=True)
        time.sleep(6)
        leaders = [s for s in chaos.services if "\nmlinfra_autoscaler_leader 1\n" in s.metrics()]
        check("one leads", len(leaders), 1)
        for service in chaos.services:
            service.stop()
    finally:
        for process in chaos.services:
            process.process.kill()
        for node in yard.nodes.values():
            node.power_off()
    judge(yard, chaos)
    check("no node came back", yard.world.nodes(), {})
    yard.world.left()
    check("no process is left", strays(yard.folder), [])
    yard.run("ledger", "verify")
    status = json.loads(yard.run("autoscale", "status", "--json"))
    check("the memory can be read, and nobody leads",
          (status["leader"], [c["cluster"] for c in status["clusters"]]), (None, ["cluster.train"]))
    yard.run("plan", "--detailed-exitcode")
    yard.run("apply", "--yes", "--var", "lines=901")
    yard.world.set_up(901, f"{KEY}-g2")
    yard.run("plan", "--detailed-exitcode", "--var", "lines=901")
    yard.run("destroy", "--yes")
    yard.world.gone()
    print("from a queue to nodes and back: all of it holds")


def main():
    binary, stack, where = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    seed = int(os.environ.get("MLINFRA_SEED") or random.SystemRandom().randrange(10**6))
    print(f"MLINFRA_SEED={seed}", flush=True)
    for name in [n for n in os.environ if n.startswith(("AWS_", "MLINFRA_"))]:
        del os.environ[name]
    os.environ.update(ENV, NO_COLOR="1")
    folder = Path(tempfile.mkdtemp())
    (folder / "stack").mkdir()
    shutil.copy(stack, folder / "stack")
    emulator = None
    try:
        if where == "moto":
            emulator = subprocess.Popen(
                [sys.executable, HERE / "emulator.py", "0"], stdout=subprocess.PIPE, text=True)
            endpoint = f"http://127.0.0.1:{emulator.stdout.readline().strip()}"
            world = Moto(endpoint, folder)
        else:
            world = Sandbox(binary, folder)
        whole(Yard(binary, folder, world, seed))
    finally:
        if emulator is not None:
            emulator.kill()
            emulator.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
