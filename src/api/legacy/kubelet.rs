//! Kubelet settings stood on the pool and stand on the node class in v1. Pools that share a class with other
//! settings get a copy of it.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Conversion, Fate, Note};

/// Settings of one pool, to be put on its class when all objects are known.
struct Wanted {
    /// Place of the pool in `Conversion::objects`.
    pool: usize,
    pool_name: String,
    path: String,
    class: String,
    settings: Option<Value>,
}

#[derive(Default)]
pub(super) struct Kubelets(Vec<Wanted>);

impl Kubelets {
    /// Notes the settings of the pool that is pushed next. A pool without settings counts too: it must not get
    /// another's.
    pub(super) fn want(&mut self, pool: &Value, place: usize, path: String, settings: Option<Value>) {
        let text = |pointer: &str| {
            let found = pool.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        self.0.push(Wanted {
            pool: place,
            pool_name: text("/metadata/name"),
            path,
            class: text("/spec/template/spec/nodeClassRef/name"),
            settings,
        });
    }

    pub(super) fn settle(self, out: &mut Conversion) {
        let mut given: Vec<(String, Option<Value>, String)> = Vec::new();
        for want in self.0 {
            let known = given
                .iter()
                .find(|(class, settings, _)| *class == want.class && *settings == want.settings);
            if let Some((_, _, name)) = known {
                point(out, want.pool, &name.clone());
                continue;
            }
            let first = given.iter().all(|(class, ..)| *class != want.class);
            let place = out.objects.iter().position(|o| is_class(o, &want.class));
            let name = match (place, first) {
                (None, _) => {
                    if want.settings.is_some() {
                        out.notes.push(Note {
                            path: want.path,
                            fate: Fate::Impossible,
                            text: format!(
                                "belongs to spec.kubelet of the EC2NodeClass \"{}\", which is not in the input: give \
                                 its file too",
                                want.class
                            ),
                        });
                    }
                    continue;
                }
                (Some(place), true) => {
                    if let (Some(class), Some(settings)) = (out.objects.get_mut(place), &want.settings) {
                        class["spec"]["kubelet"] = settings.clone();
                        out.notes.push(moved(&want, &want.class));
                    }
                    want.class.clone()
                }
                (Some(place), false) => {
                    let name = format!("{}-{}", want.class, want.pool_name);
                    let mut copy = out.objects.get(place).cloned().unwrap_or_default();
                    copy["metadata"]["name"] = json!(name);
                    if let Some(spec) = copy["spec"].as_object_mut() {
                        spec.remove("kubelet");
                        if let Some(settings) = &want.settings {
                            spec.insert("kubelet".into(), settings.clone());
                        }
                    }
                    out.objects.push(copy);
                    out.notes.push(Note {
                        text: format!(
                            "another pool of the EC2NodeClass \"{}\" has other kubelet settings: this one gets a copy of \
                             the class, \"{name}\"",
                            want.class
                        ),
                        ..moved(&want, &name)
                    });
                    name
                }
            };
            point(out, want.pool, &name);
            given.push((want.class, want.settings, name));
        }
    }
}

fn moved(want: &Wanted, class: &str) -> Note {
    Note {
        path: want.path.clone(),
        fate: Fate::Changed,
        text: format!("stands on the EC2NodeClass \"{class}\" as spec.kubelet"),
    }
}

fn point(out: &mut Conversion, pool: usize, class: &str) {
    if let Some(name) = out
        .objects
        .get_mut(pool)
        .and_then(|p| p.pointer_mut("/spec/template/spec/nodeClassRef/name"))
    {
        *name = json!(class);
    }
}

fn is_class(object: &Value, name: &str) -> bool {
    super::text(object, "kind") == "EC2NodeClass"
        && object.pointer("/metadata/name").and_then(Value::as_str) == Some(name)
}

/// The settings that v1 knows; `None` when there are none.
pub(super) fn settings(mut old: Fields, notes: &mut Vec<Note>) -> Option<Value> {
    let mut new = json!({});
    old.keep(
        &[
            "clusterDNS",
            "maxPods",
            "podsPerCore",
            "kubeReserved",
            "systemReserved",
            "evictionHard",
            "evictionSoft",
            "evictionSoftGracePeriod",
            "evictionMaxPodGracePeriod",
            "imageGCHighThresholdPercent",
            "imageGCLowThresholdPercent",
            "cpuCFSQuota",
        ],
        &mut new,
    );
    if let Some(runtime) = old.take("containerRuntime") {
        notes.push(if runtime == "containerd" {
            old.note(
                "containerRuntime",
                Fate::Dropped,
                "containerd is the only runtime",
            )
        } else {
            old.note(
                "containerRuntime",
                Fate::Impossible,
                format!("{runtime} is gone: nodes run containerd"),
            )
        });
    }
    old.close(notes);
    new.as_object().is_some_and(|m| !m.is_empty()).then_some(new)
}
