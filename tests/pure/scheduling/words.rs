//! The longer parts of pod specs, as YAML flow text.

pub const ZONE: &str = "topology.kubernetes.io/zone";
pub const HOST: &str = "kubernetes.io/hostname";
pub const CAPACITY: &str = "karpenter.sh/capacity-type";
pub const ARCH: &str = "kubernetes.io/arch";
pub const TYPE: &str = "node.kubernetes.io/instance-type";

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// One expression: `is("team", "In", "a, b")`.
pub fn is(key: &str, operator: &str, values: &str) -> String {
    format!("{{key: {key}, operator: {operator}, values: [{values}]}}")
}

/// Required node affinity; each element is the list of expressions of one term.
pub fn needs(terms: &[&[String]]) -> String {
    let terms: Vec<String> = terms
        .iter()
        .map(|t| format!("{{matchExpressions: [{}]}}", t.join(", ")))
        .collect();
    format!(
        "nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: [{}]}}}}",
        terms.join(", ")
    )
}

/// Preferred node affinity: weight and expression.
pub fn prefers(wishes: &[(i32, String)]) -> String {
    let wishes: Vec<String> = wishes
        .iter()
        .map(|(w, e)| format!("{{weight: {w}, preference: {{matchExpressions: [{e}]}}}}"))
        .collect();
    format!("nodeAffinity: {{{PREFERRED}: [{}]}}", wishes.join(", "))
}

/// A term of pod affinity or anti-affinity.
pub fn term(key: &str, app: &str) -> String {
    format!("{{topologyKey: {key}, labelSelector: {{matchLabels: {{app: {app}}}}}}}")
}

pub fn near(term: &str) -> String {
    format!("podAffinity: {{{REQUIRED}: [{term}]}}")
}

pub fn would_be_near(term: &str) -> String {
    format!("podAffinity: {{{PREFERRED}: [{{weight: 5, podAffinityTerm: {term}}}]}}")
}

pub fn away(term: &str) -> String {
    format!("podAntiAffinity: {{{REQUIRED}: [{term}]}}")
}

pub fn would_be_away(term: &str) -> String {
    format!("podAntiAffinity: {{{PREFERRED}: [{{weight: 5, podAffinityTerm: {term}}}]}}")
}

/// `affinity: {…}` of several of the above.
pub fn affinity(parts: &[String]) -> String {
    format!("affinity: {{{}}}", parts.join(", "))
}

/// A hard spread constraint with further fields, as `minDomains: 3`.
pub fn spread(key: &str, app: &str, skew: u32, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!(
        "{{topologyKey: {key}, maxSkew: {skew}, whenUnsatisfiable: DoNotSchedule, \
         labelSelector: {{matchLabels: {{app: {app}}}}}{comma}{more}}}"
    )
}

pub fn spreads(constraints: &[String]) -> String {
    format!("topologySpreadConstraints: [{}]", constraints.join(", "))
}

/// A map of counts.
pub fn counts(of: &[(&str, usize)]) -> std::collections::BTreeMap<String, usize> {
    of.iter().map(|(k, n)| ((*k).to_owned(), *n)).collect()
}
