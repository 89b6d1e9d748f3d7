//! The custom resource definitions as they are kept: one YAML stream, ready for `kubectl apply -f -`.

use crate::api::crds;

/// All definitions, in the order in which they are installed.
pub(super) fn crds() -> String {
    let mut out = String::new();
    for (_, yaml) in crds::ALL {
        out.push_str("---\n");
        out.push_str(yaml);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_stream_holds_one_document_for_each_definition() {
        let text = super::crds();
        assert_eq!(text.matches("---\n").count(), crate::api::crds::ALL.len());
        for (name, _) in crate::api::crds::ALL {
            assert!(text.contains(&format!("\n  name: {name}\n")), "{name}");
        }
    }
}
