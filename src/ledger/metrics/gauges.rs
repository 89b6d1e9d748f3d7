//! What a view shows: nodes, pods, pools, conditions, money.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::page::{Page, whole};
use crate::ledger::View;
use crate::model::resources::{CPU, EPHEMERAL, MEMORY, PODS};
use crate::model::{Conditions, Name, Node, Phase, Pod, Resources};

const ARCH: &str = "kubernetes.io/arch";
const OS: &str = "kubernetes.io/os";
const REGION: &str = "topology.kubernetes.io/region";

/// Cores, bytes and units, as Prometheus has them.
#[allow(clippy::cast_precision_loss)]
pub(super) fn amount(resource: &str, value: i64) -> f64 {
    if resource == CPU {
        value as f64 / 1000.0
    } else {
        value as f64
    }
}

pub(super) fn seconds(since: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(since).as_secs_f64().max(0.0)
}

fn size(n: usize) -> f64 {
    whole(n as u64)
}

fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}

pub fn put(view: &View, page: &mut Page) {
    let snapshot = &view.snapshot;
    page.gauge(
        "karpenter_cluster_state_node_count",
        "Nodes in the cluster state.",
        &[],
        size(snapshot.nodes.len()),
    );
    page.gauge(
        "karpenter_cluster_state_synced",
        "Whether every kind was listed and every class looked up.",
        &[],
        flag(view.host.synced && view.host.disconnected.is_none()),
    );
    let unsynced = match view.host.disconnected {
        Some(since) => seconds(since, view.now),
        None if view.host.synced => 0.0,
        None => seconds(view.started, view.now),
    };
    page.gauge(
        "karpenter_cluster_state_unsynced_time_seconds",
        "For how long the cluster state has not been synced.",
        &[],
        unsynced,
    );
    let version = env!("CARGO_PKG_VERSION");
    page.gauge(
        "karpenter_build_info",
        "1; the version is in the label.",
        &[
            ("version", version),
            ("goversion", ""),
            ("goarch", std::env::consts::ARCH),
            ("commit", ""),
        ],
        1.0,
    );
    nodes(view, page);
    pods(view, page);
    pools(view, page);
    conditions(view, page);
    money(view, page);
    if let Some(lead) = &view.host.lead {
        page.gauge(
            "leader_election_master_status",
            "1 on the one that leads.",
            &[("name", &lead.lease)],
            flag(lead.leads()),
        );
    }
}

fn label<'a>(node: &'a Node, key: &str) -> &'a str {
    node.label(key).map_or("", |v| v)
}

fn node_labels(node: &Node) -> Vec<(&'static str, &str)> {
    vec![
        ("node_name", &*node.name),
        ("nodepool", node.pool()),
        ("instance_type", node.instance_type()),
        ("zone", node.zone()),
        ("region", label(node, REGION)),
        ("arch", label(node, ARCH)),
        ("os", label(node, OS)),
        ("capacity_type", node.capacity_type()),
        ("phase", if node.ready { "Ready" } else { "NotReady" }),
        ("managed", if node.pool().is_empty() { "false" } else { "true" }),
    ]
}

fn each(page: &mut Page, name: &str, help: &'static str, labels: &[(&str, &str)], amounts: &Resources) {
    for (resource, value) in amounts.iter() {
        let with: Vec<(&str, &str)> = labels
            .iter()
            .copied()
            .chain([("resource_type", resource)])
            .collect();
        page.gauge(name, help, &with, amount(resource, value));
    }
}

fn nodes(view: &View, page: &mut Page) {
    let mut asked: BTreeMap<&str, (Resources, Resources)> = BTreeMap::new();
    for pod in view.snapshot.pods.values().filter(|p| p.is_active()) {
        if let Some(node) = &pod.node {
            let (all, daemons) = asked.entry(node).or_default();
            all.add(&pod.spec.requests);
            if pod.owned_by("DaemonSet") {
                daemons.add(&pod.spec.requests);
            }
        }
    }
    let (mut total, mut used) = (Resources::default(), Resources::default());
    for node in view.snapshot.nodes.values() {
        let labels = node_labels(node);
        let (all, daemons) = asked.remove(&*node.name).unwrap_or_default();
        let mut overhead = node.capacity.clone();
        overhead.sub(&node.allocatable);
        total.add(&node.allocatable);
        used.add(&all);
        let rows = [
            (
                "karpenter_nodes_allocatable",
                "What pods may have of a node.",
                &node.allocatable,
            ),
            (
                "karpenter_nodes_total_pod_requests",
                "What the pods of a node ask for, its daemons included.",
                &all,
            ),
            (
                "karpenter_nodes_total_daemon_requests",
                "What the daemons of a node ask for.",
                &daemons,
            ),
            (
                "karpenter_nodes_system_overhead",
                "What the system keeps of a node.",
                &overhead,
            ),
        ];
        for (name, help, amounts) in rows {
            each(page, name, help, &labels, amounts);
        }
        page.gauge(
            "karpenter_nodes_current_lifetime_seconds",
            "Age of a node.",
            &labels,
            seconds(node.created, view.now),
        );
    }
    for resource in [CPU, MEMORY, PODS, EPHEMERAL] {
        let (all, used) = (
            amount(resource, total.get(resource)),
            amount(resource, used.get(resource)),
        );
        if all > 0.0 {
            page.gauge(
                "karpenter_cluster_utilization_percent",
                "Requests in percent of what all nodes offer.",
                &[("resource_type", resource)],
                100.0 * used / all,
            );
        }
    }
}

fn phase(pod: &Pod) -> &'static str {
    match pod.phase {
        Phase::Pending => "Pending",
        Phase::Running => "Running",
        Phase::Succeeded => "Succeeded",
        Phase::Failed => "Failed",
        Phase::Unknown => "Unknown",
    }
}

fn pods(view: &View, page: &mut Page) {
    let mut waiting = 0;
    for pod in view.snapshot.pods.values() {
        let node = pod.node.as_ref().and_then(|n| view.snapshot.nodes.get(n));
        let of = |get: fn(&Node) -> &str| node.map_or("", |n| get(n));
        let owner = pod.owners.iter().find(|o| o.controller);
        let owner = owner.map_or_else(String::new, |o| format!("{}/{}", o.kind, o.name));
        let yes = |on: bool| if on { "true" } else { "false" };
        page.gauge(
            "karpenter_pods_state",
            "One a pod.",
            &[
                ("name", &pod.name),
                ("namespace", &pod.namespace),
                ("owner", &owner),
                ("node", pod.node.as_deref().unwrap_or("")),
                ("scheduled", yes(pod.node.is_some())),
                ("nodepool", of(Node::pool)),
                ("zone", of(Node::zone)),
                ("arch", of(|n| label(n, ARCH))),
                ("capacity_type", of(Node::capacity_type)),
                ("instance_type", of(Node::instance_type)),
                ("phase", phase(pod)),
                ("ready", yes(pod.ready)),
                ("managed", yes(!of(Node::pool).is_empty())),
            ],
            1.0,
        );
        if !pod.is_active() || pod.phase != Phase::Pending {
            continue;
        }
        let name = [("name", &*pod.name), ("namespace", &*pod.namespace)];
        let age = seconds(pod.created, view.now);
        page.gauge(
            "karpenter_pods_unstarted_time_seconds",
            "Age of a pod that does not run yet.",
            &name,
            age,
        );
        if pod.node.is_none() {
            waiting += 1;
            page.gauge(
                "karpenter_pods_unbound_time_seconds",
                "Age of a pod that has no node yet.",
                &name,
                age,
            );
        }
    }
    let controller = [("controller", "provisioner")];
    page.gauge(
        "karpenter_scheduler_queue_depth",
        "Pods that wait for a place.",
        &controller,
        size(waiting),
    );
    page.gauge(
        "karpenter_scheduler_unschedulable_pods_count",
        "Pods for which the latest plan found no place.",
        &controller,
        size(view.refusals.len()),
    );
}

fn pools(view: &View, page: &mut Page) {
    let mut cost: BTreeMap<&str, f64> = BTreeMap::new();
    let mut usage: BTreeMap<&Name, Resources> = BTreeMap::new();
    for claim in view.snapshot.claims.values() {
        let Some(pool) = claim.pool() else { continue };
        usage.entry(pool).or_default().add(&claim.capacity);
        if let Some((price, _)) = view.claim_prices.get(&claim.name) {
            *cost.entry(pool).or_default() += price.as_f64();
        }
    }
    for pool in view.snapshot.pools.values() {
        let name: &str = &pool.name;
        for (resource, limit) in &pool.limits {
            page.gauge(
                "karpenter_nodepools_limit",
                "Limit of a NodePool.",
                &[("nodepool", name), ("resource_type", resource)],
                amount(resource, *limit),
            );
        }
        if let Some(used) = usage.get(&pool.name) {
            let help = "What the machines of a NodePool have.";
            each(
                page,
                "karpenter_nodepools_usage",
                help,
                &[("nodepool", name)],
                used,
            );
        }
        page.gauge(
            "karpenter_nodepools_cost_total",
            "Dollars an hour of a NodePool.",
            &[("nodepool", name)],
            cost.get(name).copied().unwrap_or(0.0),
        );
    }
}

fn conditions(view: &View, page: &mut Page) {
    let mut put = |kind: &str, name: &Name, extra: &[(&str, &str)], conditions: &Conditions| {
        for (condition, c) in conditions {
            let base = [
                ("namespace", ""),
                ("name", &**name),
                ("type", &**condition),
                ("status", c.status.as_str()),
                ("reason", &*c.reason),
            ];
            let labels: Vec<(&str, &str)> = base.into_iter().chain(extra.iter().copied()).collect();
            page.gauge(
                &format!("operator_{kind}_status_condition_count"),
                "One a condition of an object.",
                &labels,
                1.0,
            );
            page.gauge(
                &format!("operator_{kind}_status_condition_current_status_seconds"),
                "For how long a condition has had its status.",
                &labels,
                seconds(c.since, view.now),
            );
        }
    };
    for c in view.snapshot.claims.values() {
        let pool = c.pool().map_or("", |p| p);
        let extra = [
            ("karpenter_sh_nodepool", pool),
            ("karpenter_k8s_aws_ec2nodeclass", &*c.class.name),
        ];
        put("nodeclaim", &c.name, &extra, &c.conditions);
    }
    for p in view.snapshot.pools.values() {
        put("nodepool", &p.name, &[], &p.conditions);
    }
    for c in view.snapshot.classes.values() {
        put("ec2nodeclass", &c.name, &[], &c.conditions);
    }
}

fn money(view: &View, page: &mut Page) {
    let cost = &view.cost;
    let rows = [
        ("now", Some(cost.now)),
        ("on_demand", Some(cost.on_demand)),
        ("spot", Some(cost.spot)),
        ("in_review", Some(cost.in_review)),
        ("floor", cost.floor),
    ];
    for (part, price) in rows {
        if let Some(price) = price {
            page.gauge(
                "kerf_cost_usd_per_hour",
                "What the machines cost an hour; what everything in review would change; the proven floor.",
                &[("part", part)],
                price.as_f64(),
            );
        }
    }
    page.counter(
        "kerf_spent_usd_total",
        "What the machines have cost since the start.",
        &[],
        cost.spent.as_f64(),
    );
    page.gauge(
        "kerf_alarms",
        "Alarms that are raised.",
        &[],
        size(view.alarms.len()),
    );
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for row in view.decisions.values().filter(|d| !d.state.is_final()) {
        *states
            .entry(format!("{:?}", row.state).to_lowercase())
            .or_default() += 1;
    }
    for (state, n) in states {
        page.gauge(
            "kerf_decisions_open",
            "Decisions that are not over, by state.",
            &[("state", &state)],
            size(n),
        );
    }
}
