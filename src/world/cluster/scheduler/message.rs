//! The text of `PodScheduled`=False, as kube-scheduler words it.

use std::collections::BTreeMap;

/// `0/3 nodes are available: 1 node(s) had …, 2 Insufficient cpu.` with the sentence about preemption.
pub fn unschedulable(nodes: usize, reasons: &BTreeMap<String, usize>, blocked: Option<&str>) -> String {
    if let Some(why) = blocked {
        return format!("0/{nodes} nodes are available: {why}. {}", preemption(nodes));
    }
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut parts: Vec<String> = reasons
        .iter()
        .map(|(why, count)| format!("{count} {why}"))
        .collect();
    parts.sort();
    format!(
        "0/{nodes} nodes are available: {}. {}",
        parts.join(", "),
        preemption(nodes)
    )
}

fn preemption(nodes: usize) -> String {
    format!("preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling.")
}

/// Whether two texts give the same reasons: their numbers do not count, so that a growing cluster does not rewrite
/// the status of every waiting pod.
pub fn same_reasons(a: &str, b: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let mut words: Vec<String> = text
            .split([',', '.', ':'])
            .map(|part| {
                part.trim()
                    .trim_start_matches(|c: char| c.is_ascii_digit() || c == '/')
                    .to_owned()
            })
            .collect();
        words.sort();
        words
    };
    words(a) == words(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_and_sorted() {
        let reasons = [
            ("Insufficient cpu".to_owned(), 2),
            ("node(s) were unschedulable".to_owned(), 1),
        ]
        .into();
        let text = unschedulable(3, &reasons, None);
        assert!(
            text.starts_with("0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. "),
            "{text}"
        );
        assert!(same_reasons(&text, &unschedulable(40, &reasons, None)));
        assert!(!same_reasons(&text, &unschedulable(0, &reasons, None)));
    }
}
