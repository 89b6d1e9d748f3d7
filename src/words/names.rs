//! Names as a person reads them: without what every row repeats.

use crate::model::CapacityType;

/// A label key without its well-known prefix: `zone`, `instance-category`, `capacity-type`.
pub fn key(key: &str) -> &str {
    const PREFIXES: [&str; 6] = [
        "topology.kubernetes.io/",
        "node.kubernetes.io/",
        "karpenter.k8s.aws/",
        "topology.k8s.aws/",
        "karpenter.sh/",
        "kubernetes.io/",
    ];
    PREFIXES.iter().find_map(|p| key.strip_prefix(p)).unwrap_or(key)
}

/// `us-east-1a` → `1a`
pub fn zone(zone: &str) -> &str {
    zone.rsplit_once('-').map_or(zone, |(_, last)| last)
}

/// `1a 1b 1c`, each once, in order.
pub fn zones<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    let set: std::collections::BTreeSet<&str> = all.into_iter().map(zone).collect();
    set.into_iter().collect::<Vec<_>>().join(" ")
}

/// A node name without its domain: `ip-10-0-12-31`.
pub fn node(name: &str) -> &str {
    match name.split_once('.') {
        Some((head, _)) if head.starts_with("ip-") || head.starts_with("i-") => head,
        _ => name,
    }
}

/// A sentence with its node names without their domains.
pub fn short(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive([' ', ',', ';', ':', '(', ')', '"']) {
        let name = piece.trim_end_matches([' ', ',', ';', ':', '(', ')', '"', '.']);
        let cut = node(name);
        out.push_str(cut);
        out.push_str(piece.get(name.len()..).unwrap_or_default());
    }
    out
}

pub fn capacity(kind: CapacityType) -> &'static str {
    kind.as_str()
}

/// `od`, `sp`, `rs`
pub fn capacity_short(kind: &str) -> &'static str {
    match kind {
        "on-demand" => "od",
        "spot" => "sp",
        "reserved" => "rs",
        _ => "?",
    }
}

/// `1 pod`, `3 pods`
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 {
        format!("1 {word}")
    } else {
        format!("{n} {word}s")
    }
}

/// The first `most` names and how many are left: `a, b and 3 more`.
pub fn list<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let left = names.len().saturating_sub(most);
    let text = shown.join(", ");
    match (left, shown.is_empty()) {
        (0, true) => "none".to_owned(),
        (0, false) => text,
        (n, true) => n.to_string(),
        (n, false) => format!("{text} and {n} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_every_row_repeats() {
        assert_eq!(key("topology.kubernetes.io/zone"), "zone");
        assert_eq!(key("example.com/team"), "example.com/team");
        assert_eq!(zones(["us-east-1c", "us-east-1a", "us-east-1c"]), "1a 1c");
        assert_eq!(node("ip-10-0-1-2.ec2.internal"), "ip-10-0-1-2");
        assert_eq!(node("worker.example"), "worker.example");
        assert_eq!(
            short(
                "ip-10-0-1-2.ec2.internal: 3 pods, i-0.ec2.internal, and v1.2 is (ip-10-0-9-9.ec2.internal)."
            ),
            "ip-10-0-1-2: 3 pods, i-0, and v1.2 is (ip-10-0-9-9)."
        );
        assert_eq!(plural(1, "pod"), "1 pod");
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(list::<&str>(&[], 2), "none");
    }
}
