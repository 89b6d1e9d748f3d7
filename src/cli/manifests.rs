//! `kerf manifests crds`: what a cluster needs, printed.

use std::io::{self, Write};

use crate::api::crds;

/// All custom resource definitions as one YAML stream, ready for `kubectl apply -f -`.
pub fn crds(out: &mut impl Write) -> io::Result<()> {
    for (_, yaml) in crds::ALL {
        writeln!(out, "---")?;
        out.write_all(yaml.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_stream_holds_one_document_for_each_definition() {
        let mut out = Vec::new();
        super::crds(&mut out).expect("writing to memory");
        let text = String::from_utf8(out).expect("utf-8");
        assert_eq!(text.matches("---\n").count(), crate::api::crds::ALL.len());
        for (name, _) in crate::api::crds::ALL {
            assert!(text.contains(&format!("\n  name: {name}\n")), "{name}");
        }
    }
}
