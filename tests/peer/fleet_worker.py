"""What runs on a node of fleet.py: takes jobs from the queue, one at a time, runs each under the
node's agent, and deletes it when it has ended well.

Usage: fleet_worker.py MLINFRA FOLDER LOG QUEUE  (a URL of SQS, or a folder)
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path


class Sqs:
    def __init__(self, url):
        import boto3

        self.sqs, self.url = boto3.client("sqs"), url

    def receive(self):
        found = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=0)
        for message in found.get("Messages", []):
            return message["ReceiptHandle"], message["Body"]
        return None

    def delete(self, handle):
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=handle)

    def give_back(self, handle):
        self.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0)


class Folder:
    """A queue of files: whoever moves one has it. fleet.py moves it back when its time is up."""

    def __init__(self, path):
        self.waiting, self.taken = Path(path) / "waiting", Path(path) / "taken"

    def receive(self):
        for file in sorted(self.waiting.iterdir()):
            try:
                os.utime(file)
                file.rename(self.taken / file.name)
            except FileNotFoundError:
                continue
            return file.name, (self.taken / file.name).read_text()
        return None

    def delete(self, name):
        (self.taken / name).unlink(missing_ok=True)

    def give_back(self, name):
        (self.taken / name).rename(self.waiting / name)


# Appended in one write each, so that lines of several nodes stay whole.
JOB = 'echo "begin $1 $2" >>"$4"; sleep "$3"; echo "end $1 $2" >>"$4"'


def main():
    binary, folder, log, place = sys.argv[1:]
    queue = Sqs(place) if place.startswith("http") else Folder(place)
    run = Path(folder) / "run"
    while True:
        found = None if (run / "closed").exists() else queue.receive()
        if found is None:
            time.sleep(0.3)
            continue
        handle, body = found
        job = json.loads(body)
        words = ["sh", "-c", JOB, "job", job["id"], Path(folder).name, str(job["seconds"]), log]
        code = subprocess.call(
            [binary, "node", "run", "--dir", run, "--name", job["id"], "--", *words])
        if code == 0:
            queue.delete(handle)
        elif code == 75:
            queue.give_back(handle)


if __name__ == "__main__":
    main()
