//! `karpenter.sh/v1beta1` NodeClaim.

use serde_json::Value;

use super::fields::{self, Fields};
use super::{Conversion, Fate, nodepool, renames};

pub(super) fn convert(old: &Value, out: &mut Conversion) {
    let mut new = fields::object(old, "karpenter.sh/v1", "NodeClaim", out);
    let notes = &mut out.notes;
    let mut spec = Fields::spec(old, notes);
    spec.keep(
        &["requirements", "resources", "taints", "startupTaints"],
        &mut new["spec"],
    );
    nodepool::class_ref(&mut spec, &mut new["spec"], notes);
    if spec.take("kubelet").is_some() {
        notes.push(spec.note(
            "kubelet",
            Fate::Impossible,
            "a v1 NodeClaim has none: its EC2NodeClass has (spec.kubelet)",
        ));
    }
    spec.close(notes);
    renames::everywhere(&mut new["spec"], &format!("{} spec", fields::path_of(old)), notes);
    out.objects.push(new);
}
