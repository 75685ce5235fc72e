"""A client of the autoscaler's service that shows a certificate, and some that show none or
another's.

It makes the certificates, says `made`, reads a port, and asks there.

Usage: mtls.py FOLDER
"""

import http.client
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

FOLDER = Path(sys.argv[1])


def openssl(*args):
    subprocess.run(["openssl", *args], cwd=FOLDER, check=True, capture_output=True)


def authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def certificate(name, by):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial",
            "-copy_extensions", "copyall", "-days", "2", "-out", f"{name}.pem")


def ask(port, shows=None):
    context = ssl.create_default_context(cafile=FOLDER / "ours.pem")
    if shows:
        context.load_cert_chain(FOLDER / f"{shows}.pem", FOLDER / f"{shows}.key")
    with urllib.request.urlopen(f"https://localhost:{port}/status", context=context, timeout=10) as answer:
        return answer.status, answer.read()


def refused(port, shows=None):
    try:
        ask(port, shows)
    except (urllib.error.URLError, OSError) as error:
        return str(error)
    raise AssertionError(f"{shows} was let in")


def main():
    for name in ("ours", "theirs"):
        authority(name)
    certificate("server", "ours")
    certificate("friend", "ours")
    certificate("stranger", "theirs")
    print("made", flush=True)
    port = int(sys.stdin.readline())
    code, body = ask(port, "friend")
    assert code == 200 and b'"stack":"llm"' in body, (code, body[:200])
    print("without a certificate:", refused(port))
    print("with another's:", refused(port, "stranger"))
    try:
        urllib.request.urlopen(f"http://localhost:{port}/status", timeout=10)
    except (OSError, http.client.HTTPException) as error:
        print("without TLS:", repr(error))
    else:
        raise AssertionError("plain text was answered")
    assert ask(port, "friend")[0] == 200
    print("mtls: all of it holds", flush=True)


main()
