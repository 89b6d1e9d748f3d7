//! One instance type: how its allocatable comes about, and what it costs where.

use crate::model::{CapacityType, InstanceType};
use crate::ui::canvas::{Line, labelled, plain};
use crate::ui::lists::{Data, label};
use crate::ui::theme::Tone;
use crate::words;

fn chosen<'a>(data: &Data<'a>) -> Option<&'a InstanceType> {
    let name = data.chosen.as_deref()?;
    data.view
        .snapshot
        .catalogues
        .values()
        .find_map(|c| c.get(name))
        .map(|t| &**t)
}

pub fn sums(data: &Data<'_>) -> Vec<Line> {
    let Some(t) = chosen(data) else {
        return vec![plain("no type is selected")];
    };
    let mut out = vec![
        labelled("capacity", 13, words::resources(&t.capacity)),
        labelled(
            "overhead",
            13,
            format!(
                "{}   (kube-reserved + system-reserved + eviction threshold)",
                words::resources(&t.overhead)
            ),
        ),
        labelled("allocatable", 13, words::resources(&t.allocatable())),
    ];
    for kind in CapacityType::ALL {
        let mut prices: Vec<String> = Vec::new();
        for o in t.offerings.iter().filter(|o| o.capacity_type == kind) {
            let stock = if o.available { "" } else { " ✗ no capacity" };
            let price = if o.price.0 == 0 {
                "no price".to_owned()
            } else {
                words::price(o.price)
            };
            prices.push(format!("{} {price}{stock}", words::zone(&o.zone)));
        }
        if !prices.is_empty() {
            prices.sort();
            out.push(labelled(words::capacity(kind), 13, prices.join("   ")));
        }
    }
    let facts: Vec<String> = [
        "kubernetes.io/arch",
        "karpenter.k8s.aws/instance-category",
        "karpenter.k8s.aws/instance-generation",
    ]
    .into_iter()
    .map(|k| (k, label(t, k)))
    .filter(|(_, v)| !v.is_empty())
    .map(|(k, v)| format!("{} {v}", words::key(k)))
    .collect();
    out.push(labelled("labels", 13, facts.join("   ")));
    let used: Vec<&str> = data
        .digest
        .nodes
        .iter()
        .filter(|n| n.kind == t.name)
        .map(|n| words::node(&n.name))
        .collect();
    out.push(labelled("used by", 13, words::list(&used, 4)));
    if let Some(id) = data
        .digest
        .chosen
        .iter()
        .filter(|c| c.kind == t.name)
        .find_map(|c| c.decision)
    {
        out.push(vec![
            (format!("{:<13}", "chosen in"), Tone::Dim),
            (id.to_string(), Tone::Accent),
        ]);
    }
    out
}
