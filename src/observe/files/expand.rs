//! Workloads of files into the pods that their controllers would make.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::ObjectMeta;

use crate::observe::slim;

/// A Deployment, ReplicaSet, StatefulSet or Job.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub kind: String,
    pub metadata: ObjectMeta,
    pub spec: slim::WorkloadSpec,
}

impl Workload {
    fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or("default")
    }

    fn wanted(&self) -> i64 {
        if self.kind == "Job" {
            let parallel = self.spec.parallelism.unwrap_or(1);
            return self.spec.completions.map_or(parallel, |c| c.min(parallel));
        }
        self.spec.replicas.unwrap_or(1)
    }

    fn is_owned_by(&self, kind: &str, name: &str, namespace: &str) -> bool {
        self.namespace() == namespace && is_owned(&self.metadata, kind, name)
    }
}

fn is_owned(meta: &ObjectMeta, kind: &str, name: &str) -> bool {
    meta.owner_references
        .iter()
        .flatten()
        .any(|o| o.kind == kind && o.name == name)
}

/// The pods and volume claims that are missing from the files: as many as each workload wants, less the pods of it
/// that are given themselves (a dump of a cluster holds both).
pub(super) fn expand(workloads: &[Workload], pods: &[slim::Pod]) -> (Vec<slim::Pod>, Vec<slim::VolumeClaim>) {
    let mut taken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pod in pods {
        let namespace = pod.metadata.namespace.clone().unwrap_or_else(|| "default".into());
        taken
            .entry(namespace)
            .or_default()
            .insert(pod.metadata.name.clone().unwrap_or_default());
    }
    let (mut made, mut claims) = (Vec::new(), Vec::new());
    for w in workloads {
        // A ReplicaSet of a Deployment that is here is that Deployment's business.
        let child = w.kind == "ReplicaSet"
            && workloads
                .iter()
                .any(|d| d.kind == "Deployment" && w.is_owned_by("Deployment", d.name(), d.namespace()));
        if child {
            continue;
        }
        let sets: Vec<&str> = workloads
            .iter()
            .filter(|r| r.kind == "ReplicaSet" && r.is_owned_by(&w.kind, w.name(), w.namespace()))
            .map(Workload::name)
            .chain((w.kind == "Deployment").then(|| w.name()))
            .collect();
        let given = pods
            .iter()
            .filter(|p| {
                p.metadata.namespace.as_deref().unwrap_or("default") == w.namespace()
                    && p.metadata.deletion_timestamp.is_none()
                    && !matches!(p.status.phase.as_deref(), Some("Succeeded" | "Failed"))
                    && (is_owned(&p.metadata, &w.kind, w.name())
                        || sets.iter().any(|s| is_owned(&p.metadata, "ReplicaSet", s)))
            })
            .count();
        let mut missing = usize::try_from(w.wanted()).unwrap_or(0).saturating_sub(given);
        let taken = taken.entry(w.namespace().to_owned()).or_default();
        let mut ordinal = 0;
        while missing > 0 {
            let name = format!("{}-{ordinal}", w.name());
            ordinal += 1;
            if !taken.insert(name.clone()) {
                continue;
            }
            missing -= 1;
            let (pod, mut volumes) = pod(w, name);
            made.push(pod);
            claims.append(&mut volumes);
        }
    }
    (made, claims)
}

fn pod(w: &Workload, name: String) -> (slim::Pod, Vec<slim::VolumeClaim>) {
    let template = &w.spec.template;
    let mut spec = template.spec.clone();
    let mut claims = Vec::new();
    for claim in &w.spec.volume_claim_templates {
        let volume = claim.metadata.name.clone().unwrap_or_default();
        let claim_name = format!("{volume}-{name}");
        spec.volumes.retain(|v| v.name != volume);
        spec.volumes.push(slim::PodVolume {
            name: volume,
            persistent_volume_claim: Some(slim::ClaimSource {
                claim_name: claim_name.clone(),
            }),
            ephemeral: None,
        });
        claims.push(slim::VolumeClaim {
            metadata: ObjectMeta {
                name: Some(claim_name),
                namespace: Some(w.namespace().to_owned()),
                ..ObjectMeta::default()
            },
            spec: claim.spec.clone(),
            status: slim::VolumeClaimStatus::default(),
        });
    }
    // A Deployment's pods belong to its ReplicaSet.
    let owner_kind = if w.kind == "Deployment" {
        "ReplicaSet"
    } else {
        &w.kind
    };
    let group = if w.kind == "Job" { "batch/v1" } else { "apps/v1" };
    let uid = w.metadata.uid.clone();
    let pod = slim::Pod {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(w.namespace().to_owned()),
            labels: template.metadata.labels.clone(),
            annotations: template.metadata.annotations.clone(),
            creation_timestamp: w.metadata.creation_timestamp.clone(),
            owner_references: Some(vec![OwnerReference {
                api_version: group.into(),
                kind: owner_kind.into(),
                name: w.name().to_owned(),
                uid: uid.unwrap_or_else(|| format!("{}/{}", w.namespace(), w.name())),
                controller: Some(true),
                ..OwnerReference::default()
            }]),
            ..ObjectMeta::default()
        },
        spec,
        status: slim::PodStatus::default(),
    };
    (pod, claims)
}
