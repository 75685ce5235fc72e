#!/usr/bin/env python3
"""Replays traces under every policy, and prints what came of it as Markdown.

    benches/autoscale.py BINARY [--policy LIST] [--replays N] [TRACE.csv ...]

`ours@77` is ours with `--latency-target 77`. At the end there is for each trace what the default
comes to, and what the best peers do: the one with most jobs at once for no more money, and the
cheapest with no fewer at once.

With `--replays N` each trace is replayed N times, each time with durations that are changed by up
to 5 % at random, and there are the means and standard deviations: where a long job lands decides for
days whether a node can go, so that the cost of one replay is partly luck.

Without a trace: those of tests/data, and one that is made up from a seed, of 80,000 jobs whose
sizes, durations and bursts are like those of Microsoft's Philly trace.
"""

import csv
import json
import math
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

JOBS = 80_000
# CPU seconds that a replay of so many jobs may take.
MOST = 10
SEED = 20_171_222
# Shares of sizes in the Philly trace (jobs of so many accelerators).
SIZES = [(1, 76_627), (2, 1_818), (4, 1_870), (8, 1_643), (16, 199), (32, 67), (64, 6), (128, 3)]


def made_up(path):
    """Singles through the day, and sweeps of like jobs: half of a minute apart at most."""
    dice = random.Random(SEED)
    sizes, weights = zip(*SIZES)
    rows, time = [], 0.0
    while len(rows) < JOBS:
        time += dice.expovariate(1 / 420)
        gpus = dice.choices(sizes, weights)[0]
        # A median of 1,144 s and a long tail, as in the trace.
        duration = min(math.exp(dice.gauss(math.log(1_144), 2.0)), 40 * 86_400)
        sweep = dice.randint(10, 90) if gpus == 1 and dice.random() < 0.05 else 1
        at = time
        for _ in range(min(sweep, JOBS - len(rows))):
            rows.append((int(at), max(1, int(duration * dice.uniform(0.8, 1.25))), gpus))
            at += dice.expovariate(1 / 5)
    rows.sort()
    text = "".join(f"{submit},{duration},{gpus}\n" for submit, duration, gpus in rows)
    path.write_text("submit_s,duration_s,gpus\n" + text)


def replay(binary, trace, policy):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    policy, _, knob = policy.partition("@")
    words = [binary, "autoscale", "simulate", "--trace", str(trace), "--policy", policy, "--json"]
    words += ["--latency-target", knob] if knob else []
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), cpu


def seconds(value):
    return f"{value:,.0f}"


def table(binary, trace, policies):
    rows = []
    for policy in policies:
        found, cpu = replay(binary, trace, policy)
        rows.append((policy, found, cpu))
    print(f"\n**{trace.name}**\n")
    print("| policy | GPU-hours | vs reference | at once | wait p95 s | gang p95 s | launches |"
          " killed | never ran | CPU s |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for policy, found, cpu in rows:
        print(f"| {policy} | {found['cost_gpu_h']:,.0f} | {(found['cost_vs_reference'] - 1) * 100:+.2f} % |"
              f" {found['instant_share'] * 100:.1f} % | {seconds(found['wait_p95_s'])} |"
              f" {seconds(found['gang_wait_p95_s'])} | {found['launches']:,} | {found['kills']:,} |"
              f" {found['unfinished']} | {cpu:.1f} |", flush=True)
    return rows


def shaken(trace, folder, number):
    """The same jobs with durations changed by up to 5 %, by dice that are the same each time."""
    dice = random.Random(f"{trace.stem} {number}")
    path = Path(folder) / f"{trace.stem}-{number}.csv"
    with open(trace, newline="") as file, open(path, "w", newline="") as out:
        rows = csv.DictReader(file)
        written = csv.DictWriter(out, rows.fieldnames)
        written.writeheader()
        for row in rows:
            row["duration_s"] = max(1, round(float(row["duration_s"]) * dice.uniform(0.95, 1.05)))
            written.writerow(row)
    return path


def luck(binary, trace, policies, replays):
    print(f"\n**{trace.name}**, {replays} replays with durations changed by up to 5 %\n")
    print("| policy | vs reference | at once | wait p95 s | gang p95 s |")
    print("|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        paths = [shaken(trace, folder, number) for number in range(replays)]
        for policy in policies:
            found = [replay(binary, path, policy)[0] for path in paths]
            def both(key, one=lambda it: it):
                values = [one(it[key]) for it in found]
                return statistics.mean(values), statistics.stdev(values)
            cost, cost_luck = both("cost_vs_reference", lambda it: (it - 1) * 100)
            share, share_luck = both("instant_share", lambda it: it * 100)
            print(f"| {policy} | {cost:+.2f} ± {cost_luck:.2f} % | {share:.1f} ± {share_luck:.1f} % |"
                  f" {seconds(both('wait_p95_s')[0])} | {seconds(both('gang_wait_p95_s')[0])} |", flush=True)


def point(found):
    return f"{(found['cost_vs_reference'] - 1) * 100:+.2f} %, {found['instant_share'] * 100:.1f} %"


def against_peers(tables):
    print("\n| trace | ours, balanced | most at once for no more | cheapest with as many at once |")
    print("|---|--:|--:|--:|")
    for trace, rows in tables:
        ours = next((found for policy, found, _ in rows if policy == "ours"), None)
        if ours is None:
            continue
        peers = [(policy, found) for policy, found, _ in rows
                 if not policy.startswith(("ours", "reference")) and not found["unfinished"]]
        no_dearer = [it for it in peers if it[1]["cost_gpu_h"] <= ours["cost_gpu_h"]]
        no_slower = [it for it in peers if it[1]["instant_share"] >= ours["instant_share"]]
        most = max(no_dearer, key=lambda it: it[1]["instant_share"], default=None)
        cheapest = min(no_slower, key=lambda it: it[1]["cost_gpu_h"], default=None)
        cells = [f"{it[0]}: {point(it[1])}" if it else "none" for it in (most, cheapest)]
        print(f"| {trace.stem} | {point(ours)} | {' | '.join(cells)} |", flush=True)



def main():
    binary, words = sys.argv[1], sys.argv[2:]
    policies = ["ours@0", "ours", "ours@60", "ours@68", "ours@73", "ours@77", "ours@84", "ours@92", "ours@100", "reference", "karpenter",
                "ray", "cluster-autoscaler", "parallelcluster", "determined", "dstack", "idle=60", "spare=1", "spare=2", "spare=4", "spare=8",
                "adaptive=90", "adaptive=95", "keda=4", "keda=1", "hpa=4", "static"]
    if words[:1] == ["--policy"]:
        policies, words = words[1].split(","), words[2:]
    replays = 0
    if words[:1] == ["--replays"]:
        replays, words = max(2, int(words[1])), words[2:]
    with tempfile.TemporaryDirectory() as folder:
        traces = [Path(word) for word in words]
        if not traces:
            made = Path(folder) / "made-up-80000.csv"
            made_up(made)
            traces = sorted((Path(__file__).parent.parent / "tests/data").glob("*.csv")) + [made]
        if replays:
            for trace in traces:
                luck(binary, trace, policies, replays)
            return
        tables = [(trace, table(binary, trace, policies)) for trace in traces]
        against_peers(tables)
        slow = [f"{trace.stem}: {policy} took {cpu:.1f} CPU seconds" for trace, rows in tables
                for policy, _, cpu in rows if policy.startswith("ours") and cpu > MOST]
        if slow:
            sys.exit("\n".join(slow))


main()
