#!/usr/bin/env python3
"""What no policy can do better, computed from a trace.

    benches/bound.py BINARY TRACE.csv ...

For each trace: what it costs that everybody starts at once for whoever knows all arrivals (each
node launched one boot before it is needed: the reference, and a boot for each of its launches);
and how many gangs meet other jobs within the boot of their nodes. The nodes of a gang come one
after the other and a scheduler that backfills gives them to whoever fits, so these gangs may wait
for a second boot under every policy that has launched nothing ahead.
"""

import bisect
import csv
import json
import subprocess
import sys

GPUS, BOOT = 8, 300


def reference(binary, trace):
    words = [binary, "autoscale", "simulate", "--trace", trace, "--policy", "reference", "--json"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    return found["cost_gpu_h"], found["launches"]


def main():
    binary = sys.argv[1]
    print("| trace | everybody at once, all arrivals known | gangs | of them met within a boot |")
    print("|---|--:|--:|--:|")
    for trace in sys.argv[2:]:
        cost, launches = reference(binary, trace)
        known = launches * BOOT * GPUS / 3600 / cost
        with open(trace, newline="") as file:
            rows = [(float(row["submit_s"]), int(row["gpus"])) for row in csv.DictReader(file)]
        small = sorted(at for at, gpus in rows if gpus <= GPUS)
        gangs = [at for at, gpus in rows if gpus > GPUS]
        met = sum(bisect.bisect_right(small, at + BOOT) > bisect.bisect_left(small, at)
                  for at in gangs)
        share = f"{met / len(gangs):.0%}" if gangs else "none"
        print(f"| {trace} | {known:+.2%} | {len(gangs)} | {share} |", flush=True)


main()
