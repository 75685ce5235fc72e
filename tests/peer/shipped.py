"""What is shipped for the autoscaler, before its judges: systemd's own of the units, promtool of
the alerts, Kubernetes' schemas of the manifests, hadolint of the image. Each of them is fed
something bad too, so that a judge that sees nothing is noticed.

Usage: shipped.py MLINFRA PEERS
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "examples/autoscale"
MLINFRA, PEERS = Path(sys.argv[1]), Path(sys.argv[2])
# systemd's own measure from 0 to 10, in tenths: what may be opened to whoever takes the service over.
EXPOSURE = "15"


def judge(*command, of=None):
    done = subprocess.run([str(it) for it in command], capture_output=True, text=True, cwd=of)
    return done.returncode == 0, done.stdout + done.stderr


def check(name, verdict, good=True):
    passed, said = verdict
    assert passed == good, f"{name}:\n{said}"
    print(f"holds: {name}")


def spoilt(folder, name, old, new):
    """A copy in which something is wrong."""
    text = (FOLDER / name).read_text()
    assert old in text, (name, old)
    path = Path(folder) / name
    path.write_text(text.replace(old, new))
    return path


def units(folder):
    names = sorted(it.name for it in FOLDER.iterdir() if it.suffix in (".service", ".timer"))
    assert len(names) == 3, names
    here = [spoilt(folder, it, "/usr/local/bin/mlinfra", str(MLINFRA)) if it.endswith("service") else
            spoilt(folder, it, "[Timer]", "[Timer]") for it in names]
    passed, said = judge("systemd-analyze", "verify", "--man=no", *here)
    # It ends well whatever it warns of.
    check("units", (passed and said == "", said))
    for unit in here:
        if unit.suffix == ".service":
            check(f"{unit.name} opens little", judge(
                "systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE}", unit))
    bad = spoilt(folder, "mlinfra-autoscale.service", "ProtectHome=yes", "ProtectHomes=yes")
    check("an unknown setting is seen", (judge("systemd-analyze", "verify", bad)[1] == "", ""), good=False)


def alerts(folder):
    check("alerts", judge("promtool", "check", "rules", FOLDER / "alerts.yaml"))
    check("alerts' tests", judge("promtool", "test", "rules", "alerts_test.yaml", of=FOLDER))
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
    tests = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
    rings = {it["alertname"] for test in tests for it in test["alert_rule_test"] if it["exp_alerts"]}
    quiet = {it["alertname"] for test in tests for it in test["alert_rule_test"] if not it["exp_alerts"]}
    names = {it["alert"] for it in rules}
    assert rings == quiet == names, (names - rings, names - quiet)
    print("holds: each alert rings in one test and is quiet in another")
    spoilt(folder, "alerts.yaml", "> 300", "> 30000")
    (Path(folder) / "alerts_test.yaml").write_text((FOLDER / "alerts_test.yaml").read_text())
    check("an alert that does not ring is seen", judge("promtool", "test", "rules", "alerts_test.yaml", of=folder), good=False)


def manifests(folder):
    validate = PEERS / "bin/kubernetes-validate"
    for name in ("rbac.yaml", "deployment.yaml", "cronjob.yaml"):
        # The oldest and the newest that are meant.
        for version in ("1.29", "1.37"):
            check(f"{name} in Kubernetes {version}", judge(validate, "--strict", "--version", version, FOLDER / name))
    bad = spoilt(folder, "deployment.yaml", "runAsNonRoot", "runAsNoRoot")
    check("an unknown field is seen", judge(validate, "--strict", bad), good=False)
    for name in ("deployment.yaml", "cronjob.yaml"):
        for it in filter(None, yaml.safe_load_all((FOLDER / name).read_text())):
            template = it["spec"].get("template") or it["spec"].get("jobTemplate", {}).get("spec", {}).get("template")
            if not template:
                continue
            (container,) = template["spec"]["containers"]
            safe = container["securityContext"]
            assert safe["readOnlyRootFilesystem"] and not safe["allowPrivilegeEscalation"], name
            assert safe["capabilities"] == {"drop": ["ALL"]} and container["resources"]["limits"], name
            assert template["spec"]["securityContext"]["runAsNonRoot"], name
    print("holds: what runs has no rights that it does not need")


def image(folder):
    hadolint = PEERS / "bin/hadolint"
    check("image", judge(hadolint, FOLDER / "Dockerfile"))
    bad = spoilt(folder, "Dockerfile", "USER 65532:65532", "USER root")
    check("an image that runs as root is seen", judge(hadolint, bad), good=False)


def commands():
    """Every command line that is shipped is one that mlinfra knows."""
    lines = []
    for path in FOLDER.iterdir():
        text = path.read_text()
        lines += re.findall(r"mlinfra (autoscale [a-z]+[^\n`'\")]*)", text) if path.suffix == ".service" else []
        lines += [" ".join(part.strip(' "') for part in it.split(",")) for it in re.findall(r"args: \[(.*)\]", text)]
    assert len(lines) == 4, lines
    for line in lines:
        words = line.split()
        passed, said = judge(MLINFRA, *words[:2], "--help")
        assert passed, said
        for word in words[2:]:
            assert not word.startswith("-") or re.search(rf"(?m)^\s+(-\w, )?{word}\b", said) , (word, said)
    print("holds: the commands are known")


def main():
    with tempfile.TemporaryDirectory() as folder:
        units(folder)
        alerts(folder)
        manifests(folder)
        image(folder)
    passed, _ = judge(MLINFRA, "autoscale", "run", "--help")
    if passed:
        commands()
    print("shipped: all of it holds")


main()
