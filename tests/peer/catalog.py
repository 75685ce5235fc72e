"""The hardware table of the catalogue against what EC2 itself has answered.

    catalog.py check CSV    compares every row with the recorded answers
    catalog.py write CSV    writes the table anew from them

moto carries the answers of DescribeInstanceTypes of every region as AWS gave them; they are
where the table comes from. What EC2 reports wrongly or no longer at all stands below.
"""

import gzip
import json
import pathlib
import re
import sys

import moto.ec2

# Types that people run head nodes and services on.
PLAIN = ("t3", "t3a", "t4g", "m6i", "m7i", "m7a", "m7g", "c6i", "c7i", "c7a", "c7g", "r6i", "r7i", "r7a", "r7g")

# What the answers call otherwise than its users do.
NAMES = {"RTX PRO Server 6000": "RTX-PRO-6000", "RTX PRO 4500": "RTX-PRO-4500"}

# No longer in the answers; https://aws.amazon.com/ec2/instance-types/p3/
GONE = [
    "p3.2xlarge,x86_64,V100,1,16,8,61,10,1,4,0,0,0,1.75,on-demand spot,cluster partition spread",
    "p3.8xlarge,x86_64,V100,4,16,32,244,10,1,8,0,0,0,7,on-demand spot,cluster partition spread",
    "p3.16xlarge,x86_64,V100,8,16,64,488,25,1,8,0,0,0,14,on-demand spot,cluster partition spread",
]

# EC2 reports 512 GiB for each; https://aws.amazon.com/ec2/instance-types/trn2/ says 96.
MEMORY = {"Trainium2": 96}

HEAD = """\
# What AWS offers: type, architecture, accelerator, how many, GiB each, vCPU, GiB,
# network Gbit/s (at most), network cards, interfaces per card, cards with EFA, the first of them,
# local NVMe GB, EBS Gbit/s (at most), ways to buy it, strategies of placement groups that take it.
# From the answers of DescribeInstanceTypes that moto records (Apache-2.0):
# https://github.com/getmoto/moto/tree/master/moto/ec2/resources (moto {version}, read {day})
# Overrides and types that EC2 no longer describes: tests/peer/catalog.py, with their pages.
# `tests/peer/catalog.py check` compares; `make catalog` writes this file anew.
"""


def answers():
    folder = pathlib.Path(moto.ec2.__file__).parent / "resources"
    with gzip.open(folder / "instance_types.json.gz") as file:
        return json.load(file)


def number(value):
    return f"{value:.1f}".removesuffix(".0")


def gigabits(words):
    """Of "Up to 12.5 Gigabit", "8x 100 Gigabit", "Moderate"."""
    found = re.search(r"(?:(\d+)x )?([\d.]+) Gigabit", words)
    return int(found[1] or 1) * float(found[2]) if found else 0


def accelerator(it):
    for gpu in it.get("GpuInfo", {}).get("Gpus", []):
        name = NAMES.get(gpu["Name"], gpu["Name"])
        # A part of a GPU is reported as none, and serves as one of its own small kind.
        count = gpu["Count"] or gpu.get("LogicalGpuCount", 1)
        if gpu["Count"] == 0:
            name += "-slice"
        return name, count, gpu["MemoryInfo"]["SizeInMiB"] / 1024
    for chip in it.get("NeuronInfo", {}).get("NeuronDevices", []):
        memory = MEMORY.get(chip["Name"], chip["MemoryInfo"]["SizeInMiB"] / 1024)
        return chip["Name"], chip["Count"], memory
    return "", 0, 0


def row(name, it):
    kind, count, memory = accelerator(it)
    cards = it["NetworkInfo"]["NetworkCards"]
    efa = [card["NetworkCardIndex"] for card in cards if "efa" in card.get("InterfaceTypes", [])]
    ebs = it["EbsInfo"].get("EbsOptimizedInfo", {}).get("MaximumBandwidthInMbps", 0) / 1000
    return ",".join(
        str(word)
        for word in (
            name,
            it["ProcessorInfo"]["SupportedArchitectures"][-1],
            kind,
            count,
            number(memory),
            it["VCpuInfo"]["DefaultVCpus"],
            number(it["MemoryInfo"]["SizeInMiB"] / 1024),
            number(gigabits(it["NetworkInfo"]["NetworkPerformance"])),
            len(cards),
            cards[0]["MaximumNetworkInterfaces"],
            len(efa),
            min(efa, default=0),
            it.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
            number(ebs),
            " ".join(sorted(it["SupportedUsageClasses"])),
            " ".join(sorted(it["PlacementGroupInfo"]["SupportedStrategies"])),
        )
    )


def wanted(name, it):
    family = name.split(".")[0]
    if family in ("dl2q", "inf1"):  # other makers' kits, and Inferentia's first, which none starts with today
        return False
    plain = family in PLAIN and "metal" not in name
    return plain or bool(it.get("GpuInfo") or it.get("NeuronInfo"))


def rows():
    table = [row(name, it) for name, it in answers().items() if wanted(name, it)] + GONE
    return sorted(table, key=lambda line: [int(w) if w.isdigit() else w for w in re.split(r"(\d+)", line.split(",")[0])])


def main():
    verb, path = sys.argv[1], pathlib.Path(sys.argv[2])
    fresh = rows()
    if verb == "write":
        version, day = moto.__version__, sys.argv[3]
        path.write_text(HEAD.format(version=version, day=day) + "\n".join(fresh) + "\n")
        return
    ours = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    wrong = sorted(set(fresh) ^ set(ours))
    for line in wrong:
        print("only in ours:" if line in ours else "only in EC2's:", line)
    if wrong:
        sys.exit(1)
    print(f"catalogue: {len(ours)} types as EC2 describes them")


main()
