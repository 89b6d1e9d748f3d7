#!/usr/bin/env python3
"""Makes assets/facts/ec2.json.zst and tests/data/ref_alloc.json.zst from an `ec2-catalog/1` file.

    tests/data/make_facts.py path/to/ec2-catalog.json

Keeps what labels, capacity, offerings and prices need, one compact JSON object a type, sorted by name; the
reference allocatable amounts become test data of their own. Needs the `zstd` command. Same input, same output.
"""
import json
import subprocess
import sys
from pathlib import Path

# EBS optimisation is optional, not the default, on these old sizes: they have no EBS bandwidth label.
EBS_OPTIONAL = set(
    "c1.xlarge c3.xlarge c3.2xlarge c3.4xlarge i2.xlarge i2.2xlarge i2.4xlarge m1.large m1.xlarge "
    "m2.2xlarge m2.4xlarge m3.xlarge m3.2xlarge r3.xlarge r3.2xlarge r3.4xlarge".split()
)


def compact(t):
    out = {k: t[k] for k in ("n", "family", "size", "category", "arch", "cpu_maker", "vcpu", "mem_mib", "usage")}
    for key in (
        "generation", "hypervisor", "clock_ghz", "net_label_mbps", "disk_gb", "disk_nvme", "accel",
        "neuron", "efa_max", "gpu", "zones", "spot_adv",
    ):
        if t.get(key):
            out[key] = t[key]
    for key in ("metal", "flex", "current", "burstable", "enc_transit"):
        if t.get(key):
            out[key] = 1
    if t.get("trunk"):
        out["branch_eni"] = t["branch_eni"]
    if "ebs_max_mbps" in t and t["n"] not in EBS_OPTIONAL:
        out["ebs_mbps"] = t["ebs_max_mbps"]
    out["eni"] = [t["eni_default_card"], t["eni_max"], t["net_cards"], t["ipv4_per_eni"]]
    # The inferred price stands in where nothing was observed or where what was observed is out of date.
    od = {region: price for region, price in t["od_usd_h"].items()}
    od.update({region: [price, "I"] for region, price in t.get("od_inferred", {}).items()})
    if od:
        out["od"] = od
    return out


def write(path, value):
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()
    packed = subprocess.run(["zstd", "-19", "-q", "-c"], input=text, stdout=subprocess.PIPE, check=True).stdout
    path.write_bytes(packed)
    print(path, len(text), len(packed))


def main():
    catalog = json.loads(Path(sys.argv[1]).read_text())
    root = Path(__file__).resolve().parents[2]
    types = sorted(catalog["types"], key=lambda t: t["n"])
    facts = {
        "schema": "kerf-facts/1",
        "built": catalog["built"],
        "regions": catalog["regions"],
        "types": [compact(t) for t in types],
    }
    write(root / "assets/facts/ec2.json.zst", facts)
    write(root / "tests/data/ref_alloc.json.zst", {t["n"]: t["ref_alloc"] for t in types if "ref_alloc" in t})


main()
