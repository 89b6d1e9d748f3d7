//! What is in the cluster: pools, nodes, a claim, pods.

use crate::ledger::view::View;
use crate::model::Catalogue;
use crate::model::decision::DecisionId;
use crate::model::nodepool::ConsolidationPolicy;
use std::sync::Arc;

use super::parts::{TYPES, claim, instance_type, labels, node, pod, pool};

pub(super) fn fill(v: &mut View) {
    v.snapshot.catalogues.insert(
        "*".into(),
        Arc::new(Catalogue::new(TYPES.iter().map(instance_type))),
    );
    pool(
        v,
        "general",
        10,
        200_000,
        26_000,
        ConsolidationPolicy::WhenEmptyOrUnderutilized,
    );
    pool(
        v,
        "web",
        20,
        64_000,
        8000,
        ConsolidationPolicy::WhenEmptyOrUnderutilized,
    );
    pool(v, "batch", 5, 32_000, 32_000, ConsolidationPolicy::WhenEmpty);
    pool(v, "gpu", 50, 64_000, 0, ConsolidationPolicy::Balanced);
    let day = 86_400;
    node(
        v,
        "ip-10-0-12-31",
        "general",
        "m7g.2xlarge",
        "on-demand",
        "us-east-1a",
        6 * day,
        (7440, 22_320, 31),
    );
    node(
        v,
        "ip-10-0-44-8",
        "general",
        "c7g.2xlarge",
        "on-demand",
        "us-east-1b",
        2 * day,
        (7440, 9000, 24),
    );
    node(
        v,
        "ip-10-0-5-66",
        "batch",
        "c6a.4xlarge",
        "spot",
        "us-east-1a",
        41 * 60,
        (14_960, 18_920, 22),
    );
    node(
        v,
        "ip-10-0-81-40",
        "batch",
        "c7g.4xlarge",
        "spot",
        "us-east-1b",
        38 * 60,
        (3990, 5740, 7),
    );
    node(
        v,
        "ip-10-0-71-90",
        "web",
        "c6a.xlarge",
        "on-demand",
        "us-east-1c",
        9 * 3600,
        (1179, 5200, 9),
    );
    node(
        v,
        "ip-10-0-15-77",
        "web",
        "c6a.xlarge",
        "on-demand",
        "us-east-1a",
        9 * 3600,
        (1456, 5000, 8),
    );
    node(
        v,
        "ip-10-0-23-4",
        "general",
        "c7g.xlarge",
        "on-demand",
        "us-east-1b",
        3 * 3600,
        (3706, 5200, 17),
    );
    node(
        v,
        "ip-10-0-61-12",
        "general",
        "m7g.large",
        "on-demand",
        "us-east-1c",
        11 * day,
        (1500, 900, 5),
    );
    let c = claim(
        "general-x8k2p",
        "aws:///us-east-1a/i-0b77",
        labels("general", "c7g.xlarge", "on-demand", "us-east-1a"),
        14,
        &["Launched"],
    );
    v.snapshot.claims.insert(c.name.clone(), Arc::new(c));
    v.claim_decisions.insert("general-x8k2p".into(), DecisionId(142));
    for (ns, name, cpu, mib, age) in [
        ("shop", "checkout-6d9f-2xk4q", 500, 1024, 6),
        ("shop", "checkout-6d9f-8wzzt", 500, 1024, 6),
        ("shop", "cart-77c4-mm2lp", 2000, 2048, 6),
        ("ml", "embed-0", 3000, 12_288, 108),
        ("data", "etl-29114-pz7", 1000, 2048, 2),
        ("data", "etl-29114-q2k", 1000, 2048, 2),
    ] {
        pod(v, ns, name, (cpu, mib), None, age);
    }
}
