//! Documents into a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Resource;
use serde_json::Value;

use super::expand::{Workload, expand};
use super::items::{Item, items};
use super::read::Document;
use super::{FileError, Loaded, check, scaled};
use crate::api::schema::{Checker, suggestion};
use crate::api::{names, validate};
use crate::model::storage::Namespace;
use crate::model::{Conditions, Delta, Name};
use crate::observe::{Projector, slim};

const SYSTEM_PRIORITIES: [(&str, i32); 2] = [
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];
/// The second is what old manifests have.
const DEFAULT_CLASS: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

pub(super) fn build(documents: Vec<Document>, errors: &mut Vec<FileError>) -> Loaded {
    let checker = Checker::new();
    let items = items(documents, &checker, errors);
    let mut builder = Builder::default();
    for item in &items {
        builder.take(item, &checker, errors);
    }
    builder.finish(&items, errors)
}

#[derive(Default)]
struct Builder {
    projector: Projector,
    deltas: Vec<Delta>,
    pods: Vec<slim::Pod>,
    workloads: Vec<Workload>,
    claims: Vec<slim::VolumeClaim>,
    priorities: BTreeMap<String, i32>,
    default_priority: i32,
    /// Creation and name of the default classes; the newest counts, of equally old ones the first by name.
    default_classes: Vec<(String, String)>,
    loaded: Loaded,
}

impl Builder {
    fn take(&mut self, item: &Item, checker: &Checker, errors: &mut Vec<FileError>) {
        let before = errors.len();
        if checker.api_version(&item.kind).is_some() {
            ours(item, checker, errors);
        } else {
            errors.extend(
                check::core(&item.document.value)
                    .iter()
                    .chain(&check::selectors(&item.kind, &item.document.value))
                    .map(|p| item.error(&p.path, &p.message)),
            );
        }
        if errors.len() > before {
            return;
        }
        let object = &item.document.value;
        let scaled = scaled::rows(item, &mut self.projector, errors);
        let is_scaled = scaled.is_some();
        self.deltas.extend(scaled.into_iter().flatten());
        match item.kind.as_str() {
            "Pod" => self.pods.extend(item.read(errors)),
            "Deployment" | "ReplicaSet" | "StatefulSet" | "Job" => {
                if let Some(set) = item.read::<slim::DaemonSet>(errors) {
                    self.workloads.push(Workload {
                        kind: item.kind.clone(),
                        metadata: set.metadata,
                        spec: set.spec,
                    });
                }
            }
            "DaemonSet" => {
                if let Some(mut set) = item.read::<slim::DaemonSet>(errors) {
                    give_uid(&mut set);
                    let row = self.projector.daemon(&set);
                    self.deltas.push(Delta::Daemon(Arc::new(row)));
                }
            }
            "Node" => self.node(item, errors),
            "NodeClaim" => {
                if let Some(mut claim) = item.read::<slim::Claim>(errors) {
                    give_uid(&mut claim);
                    let row = self.projector.claim(&claim);
                    self.deltas.push(Delta::Claim(Arc::new(row)));
                }
            }
            "NodePool" => self.pool(item, errors),
            "EC2NodeClass" => {
                if let Some(mut class) = item.read::<slim::Class>(errors) {
                    give_uid(&mut class);
                    let mut row = self.projector.class(&class);
                    // A file counts as ready whatever its status said when it was dumped.
                    row.conditions = Conditions::new();
                    self.deltas.push(Delta::Class(Arc::new(row)));
                }
            }
            "NodeOverlay" => {
                if let Some(mut overlay) = item.read::<slim::Overlay>(errors) {
                    give_uid(&mut overlay);
                    let mut row = self.projector.overlay(&overlay);
                    row.conditions = Conditions::new();
                    for why in &row.invalid {
                        let message = format!("{why}; the overlay is left out");
                        self.loaded.warnings.push(item.error("", message));
                    }
                    self.deltas.push(Delta::Overlay(Arc::new(row)));
                }
            }
            "PodDisruptionBudget" => {
                if let Some(pdb) = item.read(errors) {
                    let row = self.projector.pdb(&pdb);
                    self.deltas.push(Delta::Pdb(Arc::new(row)));
                }
            }
            "Namespace" => {
                if let Some(namespace) = item.read(errors) {
                    let row = self.projector.namespace(&namespace);
                    self.deltas.push(Delta::Namespace(Arc::new(row)));
                }
            }
            "PersistentVolumeClaim" => self.claims.extend(item.read(errors)),
            "PersistentVolume" => {
                if let Some(volume) = item.read(errors) {
                    let row = self.projector.volume(&volume);
                    self.deltas.push(Delta::Volume(Arc::new(row)));
                }
            }
            "StorageClass" => {
                let annotations = &object["metadata"]["annotations"];
                if DEFAULT_CLASS.iter().any(|key| annotations[key] == "true") {
                    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
                    self.default_classes
                        .push((text("creationTimestamp"), text("name")));
                }
                if let Some(class) = item.read(errors) {
                    let row = self.projector.storage_class(&class);
                    self.deltas.push(Delta::StorageClass(Arc::new(row)));
                }
            }
            "CSINode" => {
                if let Some(node) = item.read(errors) {
                    let row = self.projector.csi_node(&node);
                    self.deltas.push(Delta::CsiNode(Arc::new(row)));
                }
            }
            "VolumeAttachment" => {
                if let Some(attachment) = item.read(errors) {
                    let row = self.projector.attachment(&attachment);
                    self.deltas.push(Delta::Attachment(Arc::new(row)));
                }
            }
            "PriorityClass" => {
                let value = object["value"]
                    .as_i64()
                    .and_then(|n| i32::try_from(n).ok())
                    .unwrap_or(0);
                if object["globalDefault"] == true {
                    self.default_priority = value;
                }
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                self.priorities.insert(name.to_owned(), value);
            }
            _ if is_scaled => {}
            other => *self.loaded.ignored.entry(other.to_owned()).or_default() += 1,
        }
    }

    /// A node without conditions counts as ready, one without allocatable offers its capacity.
    fn node(&mut self, item: &Item, errors: &mut Vec<FileError>) {
        let Some(mut node) = item.read::<slim::Node>(errors) else {
            return;
        };
        give_uid(&mut node);
        if node.status.allocatable.is_empty() {
            node.status.allocatable = node.status.capacity.clone();
        }
        let mut row = self.projector.node(&node);
        row.ready |= !node.status.conditions.iter().any(|c| c.kind == "Ready");
        self.deltas.push(Delta::Node(Arc::new(row)));
    }

    fn pool(&mut self, item: &Item, errors: &mut Vec<FileError>) {
        let Some(mut pool) = item.read::<slim::Pool>(errors) else {
            return;
        };
        give_uid(&mut pool);
        for why in validate::nodepool(&pool.spec) {
            let message = format!("{why}; the pool is left out of provisioning");
            self.loaded.warnings.push(item.error("", message));
        }
        let mut row = self.projector.pool(&pool);
        row.conditions = Conditions::new();
        self.deltas.push(Delta::Pool(Arc::new(row)));
    }

    fn finish(mut self, items: &[Item], errors: &mut Vec<FileError>) -> Loaded {
        let (pods, claims) = expand(&self.workloads, &self.pods);
        self.pods.extend(pods);
        for mut pod in std::mem::take(&mut self.pods) {
            let row = self.pod(&mut pod);
            self.deltas.push(Delta::Pod(Arc::new(row)));
        }
        let newest = |a: &&(String, String), b: &&(String, String)| a.0.cmp(&b.0).then(b.1.cmp(&a.1));
        let default_class = self
            .default_classes
            .iter()
            .max_by(newest)
            .map(|(_, name)| name.clone());
        let given: Vec<slim::VolumeClaim> = std::mem::take(&mut self.claims);
        // Given ones come last and so replace those made up for StatefulSets.
        for mut claim in claims.into_iter().chain(given) {
            if claim.spec.storage_class_name.is_none() {
                claim.spec.storage_class_name.clone_from(&default_class);
            }
            let row = self.projector.volume_claim(&claim);
            self.deltas.push(Delta::VolumeClaim(Arc::new(row)));
        }
        let mut loaded = self.loaded;
        loaded.snapshot.apply(&self.deltas);
        namespaces(&mut loaded);
        for item in items.iter().filter(|i| i.kind == "NodePool") {
            errors.extend(class_exists(item, &loaded));
        }
        loaded.warnings.sort();
        loaded
    }

    /// What an API server and a scheduler would have added: priority, phase, and that a pod without a node waits
    /// for one.
    fn pod(&mut self, pod: &mut slim::Pod) -> crate::model::Pod {
        give_uid(pod);
        if pod.spec.priority.is_none() {
            let class = pod.spec.priority_class_name.as_deref();
            let system = SYSTEM_PRIORITIES.iter().find(|(name, _)| Some(*name) == class);
            pod.spec.priority = Some(match class {
                Some(class) => {
                    system.map_or_else(|| self.priorities.get(class).copied().unwrap_or(0), |(_, p)| *p)
                }
                None => self.default_priority,
            });
        }
        let mut row = self.projector.pod(pod);
        if row.node.is_some() && pod.status.phase.is_none() {
            row.phase = crate::model::Phase::Running;
            row.ready = true;
        }
        let judged = pod.status.conditions.iter().any(|c| c.kind == "PodScheduled");
        let gated = !pod.spec.scheduling_gates.is_empty();
        if row.node.is_none() && !row.is_terminal() && !judged && !gated {
            row.unschedulable = true;
        }
        row
    }
}

/// Objects of files need not have a uid; namespace and name stand in for it.
pub(super) fn give_uid<K: Resource>(object: &mut K) {
    let meta = object.meta_mut();
    if meta.uid.as_deref().is_none_or(str::is_empty) {
        let name = meta.name.clone().unwrap_or_default();
        meta.uid = Some(match &meta.namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name,
        });
    }
}

/// Structure and rules of one of our resources, leniently where `api §13.5` says so.
fn ours(item: &Item, checker: &Checker, errors: &mut Vec<FileError>) {
    let mut object = item.document.value.clone();
    if let Some(fields) = object.as_object_mut() {
        // A dump's status is the controllers' business.
        fields.remove("status");
    }
    if let Some(budgets) = object
        .pointer_mut("/spec/disruption/budgets")
        .and_then(Value::as_array_mut)
    {
        for budget in budgets {
            if let Some(n) = budget["nodes"].as_i64() {
                budget["nodes"] = n.to_string().into();
            }
        }
    }
    let problems = checker.check(&item.kind, &object, None);
    errors.extend(problems.iter().map(|p| item.error(&p.path, &p.message)));
    if problems.is_empty() {
        errors.extend(
            check::core(&object)
                .iter()
                .filter(|p| p.message.contains("quantity"))
                .map(|p| item.error(&p.path, &p.message)),
        );
    }
}

/// Namespaces that are used and not given have the one label that every namespace has.
fn namespaces(loaded: &mut Loaded) {
    let used: Vec<Name> = loaded
        .snapshot
        .pods
        .values()
        .map(|p| p.namespace.clone())
        .collect();
    for name in used {
        if !loaded.snapshot.namespaces.contains_key(&name) {
            let row = Namespace {
                name: name.clone(),
                labels: [("kubernetes.io/metadata.name".into(), name.clone())].into(),
            };
            loaded.snapshot.namespaces.insert(name, Arc::new(row));
        }
    }
}

/// A pool of our provider whose node class is not among the files.
fn class_exists(item: &Item, loaded: &Loaded) -> Option<FileError> {
    let name = item.document.value["metadata"]["name"].as_str()?;
    let class = &loaded.snapshot.pools.get(name)?.template.class;
    if &*class.group != names::AWS_GROUP || loaded.snapshot.classes.contains_key(&class.name) {
        return None;
    }
    let known: Vec<&str> = loaded.snapshot.classes.keys().map(|k| &**k).collect();
    let have = if known.is_empty() {
        "none is given".to_owned()
    } else {
        format!("given are {}", known.join(", "))
    };
    let hint = suggestion(&class.name, known.iter().copied());
    let message = format!(
        "there is no EC2NodeClass {:?} ({have}){hint}: add its manifest with -f",
        &*class.name
    );
    Some(item.error("spec.template.spec.nodeClassRef.name", message))
}
