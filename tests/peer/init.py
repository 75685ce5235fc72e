"""The wizard on AWS: `init` makes the bucket of the ledger, boto3 says what it is, and the
stack that was written is applied with its ledger in it.

Usage: init.py MLINFRA
"""

import json
import os
import sys
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

import init_person
from roundtrip import Mlinfra, check, emulated

BUCKET = "mlinfra-ledger-123456789012-us-east-1-an"
ANSWERS = ["init", "--region", "us-east-1", "--gpu", "A10G", "--nodes", "2", "--set", "ledger=bucket"]


def buckets(s3):
    return [b["Name"] for b in s3.list_buckets()["Buckets"]]


def check_bucket(s3):
    check("versioned", s3.get_bucket_versioning(Bucket=BUCKET)["Status"], "Enabled")
    rule = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    check("encrypted", rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
    block = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    check("private", (len(block), set(block.values())), (4, {True}))
    owner = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    check("its owner owns all in it", owner, [{"ObjectOwnership": "BucketOwnerEnforced"}])
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    check("TLS only", [(s["Effect"], s["Principal"], s["Action"], s["Condition"]) for s in policy],
          [("Deny", "*", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})])
    check("TLS only, for the bucket and all in it", sorted(policy[0]["Resource"]),
          [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"])
    tags = {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    check("its tags", (tags["mlinfra:stack"], tags["mlinfra:address"]), ("mlinfra", "bucket.ledger"))


def journey(binary, root, s3):
    first = Path(root) / "llm"
    first.mkdir()
    mlinfra = Mlinfra(binary, first)
    mlinfra.run(*ANSWERS, code=1)
    check("nothing was made and nothing written", (buckets(s3), list(first.iterdir())), ([], []))
    mlinfra.run(*ANSWERS, "--yes")
    check("the ledger's bucket alone", buckets(s3), [BUCKET])
    check_bucket(s3)
    written = (first / "main.hcl").read_text()
    check("the account is guarded", 'account = "123456789012"' in written, True)
    mlinfra.run("fmt", "--check")
    mlinfra.run("validate")
    mlinfra.run("apply", "--yes")
    mlinfra.run("plan", "--detailed-exitcode")
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    check("the ledger is in it", all(key.startswith("mlinfra/llm/") for key in keys) and len(keys) > 1,
          True)
    check("and not beside the files", (first / ".mlinfra").exists(), False)
    check_bucket(s3)

    second = Path(root) / "other"
    second.mkdir()
    Mlinfra(binary, second).run(*ANSWERS)
    check("a bucket that is there needs no --yes", (second / "main.hcl").exists(), True)

    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_policy(Bucket=BUCKET)
    third = Path(root) / "third"
    third.mkdir()
    Mlinfra(binary, third).run(*ANSWERS, code=1)
    check("what is not as it should be is not used", list(third.iterdir()), [])
    Mlinfra(binary, third).run(*ANSWERS, "--yes")
    check_bucket(s3)

    mlinfra.run("destroy", "--yes")
    check("the ledger's bucket stays", buckets(s3), [BUCKET])


def strangers(binary, root, s3):
    """A bucket by its name that mlinfra did not make is left alone."""
    s3.create_bucket(Bucket=BUCKET.replace("us-east-1", "us-west-2"),
                     CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    folder = Path(root) / "stranger"
    folder.mkdir()
    answers = [a.replace("us-east-1", "us-west-2") for a in ANSWERS]
    Mlinfra(binary, folder).run(*answers, "--yes", code=1)
    check("nothing was written", [p.name for p in folder.iterdir()], [])
    try:
        s3.get_bucket_policy(Bucket=BUCKET.replace("us-east-1", "us-west-2"))
        sys.exit("the stranger's bucket was changed")
    except ClientError as error:
        check("the stranger's bucket is as it was", error.response["Error"]["Code"], "NoSuchBucketPolicy")


def main():
    with emulated() as root:
        os.environ["HOME"] = root
        s3 = boto3.client("s3")
        journey(sys.argv[1], root, s3)
        strangers(sys.argv[1], root, s3)
    with emulated() as root:
        s3 = boto3.client("s3")
        init_person.with_an_account(sys.argv[1], root, s3)
        init_person.where_nobody_answers(sys.argv[1], root)
        print("init: all of it holds")


if __name__ == "__main__":
    main()
