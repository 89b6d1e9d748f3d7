//! Changes of rows, as far as a person wants to read of them.

use super::names::node;
use super::price;
use crate::model::Delta;

/// One line, or `None` for what belongs to no log (every heartbeat, every pod that runs on).
pub fn delta(d: &Delta) -> Option<String> {
    Some(match d {
        Delta::Pod(p) if p.unschedulable && p.node.is_none() => format!("{} pending", p.key()),
        Delta::Node(n) if n.deleting.is_some() => format!("{} is being deleted", node(&n.name)),
        Delta::Node(n) if !n.ready => format!("{} not ready", node(&n.name)),
        Delta::NodeGone(name) => format!("{} gone", node(name)),
        Delta::Claim(c) if c.deleting.is_some() => format!("NodeClaim {} terminating", c.name),
        Delta::ClaimGone(name) => format!("NodeClaim {name} gone"),
        Delta::Pool(p) => format!("NodePool {} changed", p.name),
        Delta::PoolGone(name) => format!("NodePool {name} gone"),
        Delta::Class(c) => format!("EC2NodeClass {} changed", c.name),
        Delta::ClassGone(name) => format!("EC2NodeClass {name} gone"),
        Delta::Catalogue { class, types } => format!("{} instance types for class {class}", types.len()),
        Delta::Offerings { changes, .. } => {
            let gone = changes.iter().filter(|c| !c.available).count();
            match changes.first() {
                Some(c) if changes.len() == 1 => {
                    let state = if c.available {
                        price(c.price)
                    } else {
                        "no capacity".to_owned()
                    };
                    format!(
                        "{} {} {}: {state}",
                        c.instance_type,
                        super::zone(&c.zone),
                        c.capacity_type.as_str()
                    )
                }
                _ => format!("{} offerings changed, {gone} without capacity", changes.len()),
            }
        }
        Delta::Notice(n) => format!("{:?} for {}", n.kind, n.provider_id),
        _ => return None,
    })
}
