#!/usr/bin/env python3
"""Turns openb-pods-default.csv (Alibaba's cluster-trace-gpu-v2023, not part of this repository) into pods for
`kerf plan`, all pending at once, with one open NodePool:

    tests/data/pods_from_trace.py openb-pods-default.csv > pods.json
    kerf plan --packing cheapest -f pods.json

Shared GPUs count as whole ones: Kubernetes cannot ask for a part of nvidia.com/gpu.
"""

import csv
import json
import sys

POOL = [
    {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": "default"},
        "spec": {
            "role": "nodes",
            "amiSelectorTerms": [{"alias": "al2023@latest"}],
            "subnetSelectorTerms": [{"tags": {"team": "a"}}],
            "securityGroupSelectorTerms": [{"tags": {"team": "a"}}],
        },
    },
    {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "default"},
        "spec": {
            "template": {
                "spec": {
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"},
                    "requirements": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}],
                }
            }
        },
    },
]


def pod(row):
    requests = {"cpu": f"{row['cpu_milli']}m", "memory": f"{row['memory_mib']}Mi"}
    resources = {"requests": requests}
    if int(row["gpu"]) > 0:
        requests["nvidia.com/gpu"] = row["gpu"]
        resources["limits"] = {"nvidia.com/gpu": row["gpu"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": row["name"], "namespace": "openb"},
        "spec": {"containers": [{"name": "main", "image": "main", "resources": resources}]},
    }


def main():
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        pods = [pod(row) for row in csv.DictReader(file)]
    json.dump({"apiVersion": "v1", "kind": "List", "items": POOL + pods}, sys.stdout)


if __name__ == "__main__":
    main()
