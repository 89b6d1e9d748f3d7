#!/usr/bin/env python3
"""Makes tests/data/karpenter_run.json.zst from a folder of recorded runs of Karpenter (Apache-2.0).

    tests/data/pack_karpenter_run.py path/to/karpenter-run

Keeps of five runs what was found at their ends, the objects at several moments, and the watches of NodePools,
NodeClaims, Nodes and pods. Needs the `zstd` command. Same input, same output.
"""
import gzip
import json
import subprocess
import sys
from pathlib import Path

RUNS = ["one-pod", "up-100", "pdb-blocked", "nodepool-deleted", "restart"]
WATCHES = ["nodepools", "nodeclaims", "nodes", "pods"]


def run(folder):
    def lines(name):
        with gzip.open(folder / f"watch-{name}.jsonl.gz", "rt") as file:
            return [json.loads(line) for line in file]

    moments = {}
    for path in sorted(folder.glob("snapshot-*.json.gz")):
        with gzip.open(path, "rt") as file:
            moments[path.name.removeprefix("snapshot-").removesuffix(".json.gz")] = json.load(file)["items"]
    facts = json.loads((folder / "facts.json").read_text())
    return {"facts": facts, "moments": moments, "watches": {name: lines(name) for name in WATCHES}}


def main():
    root = Path(sys.argv[1])
    text = json.dumps({name: run(root / name) for name in RUNS}, separators=(",", ":"), sort_keys=True).encode()
    packed = subprocess.run(["zstd", "-19", "--long=24", "-q", "-c"], input=text, stdout=subprocess.PIPE, check=True)
    (Path(__file__).parent / "karpenter_run.json.zst").write_bytes(packed.stdout)


main()
