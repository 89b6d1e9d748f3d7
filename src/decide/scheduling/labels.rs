//! Which label keys are well known and which are refused (`scheduling §6`), and hints for misspelt ones.

use std::collections::BTreeSet;

use crate::api::names;
use crate::model::{Name, Operator, Requirement, Requirements};

/// `scheduling §6.2`, core.
const CORE: [&str; 8] = [
    names::NODEPOOL,
    names::ZONE,
    names::REGION,
    names::INSTANCE_TYPE,
    names::ARCH,
    names::OS,
    names::CAPACITY_TYPE,
    names::WINDOWS_BUILD,
];

/// `scheduling §6.2`, AWS: below `karpenter.k8s.aws/`.
const AWS: [&str; 30] = [
    "capacity-reservation-id",
    "capacity-reservation-type",
    "capacity-reservation-interruptible",
    "instance-hypervisor",
    "instance-encryption-in-transit-supported",
    "nitro-sandbox",
    "instance-category",
    "instance-capability-flex",
    "instance-family",
    "instance-generation",
    "instance-size",
    "instance-local-nvme",
    "instance-cpu",
    "instance-cpu-manufacturer",
    "instance-cpu-sustained-clock-speed-mhz",
    "instance-memory",
    "instance-ebs-bandwidth",
    "instance-network-bandwidth",
    "instance-gpu-name",
    "instance-gpu-manufacturer",
    "instance-gpu-count",
    "instance-gpu-memory",
    "instance-accelerator-name",
    "instance-accelerator-manufacturer",
    "instance-accelerator-count",
    "instance-tenancy",
    "placement-group-id",
    "placement-group-partition",
    // Spellings that older pools carry for the last but two.
    "instance-placement-group-id",
    "instance-placement-group-partition",
];

/// The two keys that exist only for simulations (`scheduling §8.4`).
pub const SIMULATED: [&str; 2] = [names::REGISTERED, names::INITIALIZED];

/// Keys that a potential node may still get a value for: the fixed ones and all that instance types speak of.
#[derive(Clone, Debug, Default)]
pub struct WellKnown(BTreeSet<Name>);

impl WellKnown {
    pub fn new(of_types: impl IntoIterator<Item = Name>) -> Self {
        let mut keys: BTreeSet<Name> = of_types.into_iter().collect();
        keys.extend(CORE.iter().map(|k| Name::from(*k)));
        keys.insert(names::ZONE_ID.into());
        keys.extend(
            AWS.iter()
                .map(|k| Name::from(format!("{}/{k}", names::AWS_GROUP))),
        );
        Self(keys)
    }

    pub fn has(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    /// `scheduling §6.3`.
    pub fn is_restricted(&self, key: &str) -> bool {
        if key == names::HOSTNAME {
            return true;
        }
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        let owned = [names::GROUP, names::AWS_GROUP]
            .iter()
            .any(|d| domain == *d || domain.strip_suffix(d).is_some_and(|rest| rest.ends_with('.')));
        owned && !self.has(key)
    }

    /// The first well-known or existing key that contains `key`, or ends with its part after the slash
    /// (`scheduling §27.1`).
    pub fn hint(&self, key: &str, existing: &Requirements) -> Option<Name> {
        let tail = key.rsplit_once('/').map_or(key, |(_, tail)| tail);
        self.0
            .iter()
            .chain(existing.0.keys())
            .find(|known| {
                &***known != key && (known.contains(key) || (!tail.is_empty() && known.ends_with(tail)))
            })
            .cloned()
            .or_else(|| self.nearest(key))
    }

    /// One edit away, for what the rule above misses.
    fn nearest(&self, key: &str) -> Option<Name> {
        self.0.iter().find(|known| one_edit(known, key)).cloned()
    }
}

fn one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same_head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let rest = |v: &[char], skip: usize| {
        v.get(skip.min(v.len())..)
            .map(<[char]>::to_vec)
            .unwrap_or_default()
    };
    match a.len().abs_diff(b.len()) {
        0 => {
            let (x, y) = (rest(&a, same_head), rest(&b, same_head));
            x.is_empty()
                || rest(&x, 1) == rest(&y, 1)
                || (x.len() > 1 && x[0] == y[1] && x[1] == y[0] && rest(&x, 2) == rest(&y, 2))
        }
        1 if a.len() > b.len() => rest(&a, same_head + 1) == rest(&b, same_head),
        1 => rest(&a, same_head) == rest(&b, same_head + 1),
        _ => false,
    }
}

fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: &u8| b.is_ascii_alphanumeric();
    text.len() <= 63
        && bytes.first().is_some_and(edge)
        && bytes.last().is_some_and(edge)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        None => is_name_part(key),
        Some((domain, name)) => {
            let label = |l: &str| {
                !l.is_empty()
                    && l.len() <= 63
                    && !l.starts_with('-')
                    && !l.ends_with('-')
                    && l.bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            domain.len() <= 253 && domain.split('.').all(label) && is_name_part(name)
        }
    }
}

/// `scheduling §6.4`, for one requirement: every fault in words, none when it is fine.
pub fn faults(requirement: &Requirement, well_known: &WellKnown) -> Vec<String> {
    let key = &requirement.key;
    let mut out = Vec::new();
    if well_known.is_restricted(key) {
        out.push(format!("label {key} is restricted"));
    }
    if !is_qualified(key) {
        out.push(format!("\"{key}\" is not a label key"));
    }
    for value in requirement
        .values
        .iter()
        .filter(|v| !v.is_empty() && !is_name_part(v))
    {
        out.push(format!("\"{value}\" is not a label value"));
    }
    let known: &[&str] = match &**key {
        names::CAPACITY_TYPE => &["on-demand", "spot", "reserved"],
        "karpenter.k8s.aws/instance-tenancy" => &["default", "dedicated"],
        _ => &[],
    };
    if !known.is_empty()
        && requirement.operator() == Operator::In
        && !requirement.values.iter().any(|v| known.contains(&&**v))
    {
        out.push(format!("{key} can only be {}", known.join(", ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_17_restricted_domains() {
        let keys = WellKnown::new([]);
        for (key, restricted) in [
            (names::HOSTNAME, true),
            ("karpenter.sh/other", true),
            ("sub.karpenter.sh/x", true),
            ("notkarpenter.sh/x", false),
            ("karpenter.k8s.aws/thing", true),
            ("karpenter.k8s.aws/instance-family", false),
            ("kubernetes.io/test", false),
            ("sub.k8s.io/test", false),
            ("plain", false),
            (names::NODEPOOL, false),
        ] {
            assert_eq!(keys.is_restricted(key), restricted, "{key}");
        }
    }

    #[test]
    fn case_18_hints() {
        let keys = WellKnown::new([]);
        let none = Requirements::default();
        for key in ["nodepool", "karpenter/nodepool"] {
            assert_eq!(keys.hint(key, &none).as_deref(), Some(names::NODEPOOL), "{key}");
        }
        assert_eq!(
            keys.hint("topology.kubernetes.io/zoen", &none).as_deref(),
            Some(names::ZONE)
        );
        assert_eq!(keys.hint("team", &none), None);
    }

    #[test]
    fn item_19_known_values() {
        let keys = WellKnown::new([]);
        let bad = Requirement::is_in(names::CAPACITY_TYPE, ["sport"]);
        assert_eq!(faults(&bad, &keys).len(), 1);
        let part = Requirement::is_in(names::CAPACITY_TYPE, ["sport", "spot"]);
        assert!(faults(&part, &keys).is_empty());
    }
}
