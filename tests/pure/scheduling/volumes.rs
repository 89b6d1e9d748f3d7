//! Volumes: items 30 to 34, cases 86, 91 and 92.

use super::words::*;
use crate::cluster::Cluster;

/// A bound claim `name` whose volume may be in any of the zones, an alternative each.
fn volume(c: &mut Cluster, name: &str, zones: &[&str], more: &str) {
    let terms: Vec<String> = zones
        .iter()
        .map(|z| format!("{{matchExpressions: [{}]}}", is(ZONE, "In", z)))
        .collect();
    let affinity = if terms.is_empty() {
        String::new()
    } else {
        format!(
            ", nodeAffinity: {{required: {{nodeSelectorTerms: [{}]}}}}",
            terms.join(", ")
        )
    };
    let source = if more.is_empty() {
        "csi: {driver: ebs.csi.aws.com}"
    } else {
        more
    };
    c.yaml(&format!(
        "{{kind: PersistentVolume, metadata: {{name: pv-{name}}}, spec: {{{source}{affinity}}}}}"
    ));
    c.yaml(&format!(
        "{{kind: PersistentVolumeClaim, metadata: {{name: {name}, namespace: default, \
         annotations: {{pv.kubernetes.io/bind-completed: 'yes'}}}}, \
         spec: {{volumeName: pv-{name}, storageClassName: gone}}, status: {{phase: Bound}}}}"
    ));
}

fn mounts(names: &[&str]) -> String {
    let volumes: Vec<String> = names
        .iter()
        .map(|n| format!("{{name: {n}, persistentVolumeClaim: {{claimName: {n}}}}}"))
        .collect();
    format!("volumes: [{}]", volumes.join(", "))
}

#[test]
fn item_30_what_makes_a_pod_ignored() {
    let waiting = "{kind: StorageClass, metadata: {name: late}, provisioner: ebs.csi.aws.com, \
                   volumeBindingMode: WaitForFirstConsumer}";
    let claim = |spec: &str, status: &str| {
        format!(
            "{{kind: PersistentVolumeClaim, metadata: {{name: v, namespace: default}}, spec: {{{spec}}}, \
             status: {{phase: {status}}}}}"
        )
    };
    for (what, objects, ignored) in [
        (
            "waits for its first consumer",
            vec![claim("storageClassName: late", "Pending")],
            false,
        ),
        ("lost", vec![claim("storageClassName: late", "Lost")], true),
        ("no class", vec![claim("", "Pending")], true),
        (
            "unknown class",
            vec![claim("storageClassName: none", "Pending")],
            true,
        ),
        (
            "volume is not there",
            vec![claim("volumeName: none", "Bound")],
            true,
        ),
        ("not there", vec![], true),
    ] {
        let mut c = Cluster::new();
        c.yaml(waiting);
        for object in &objects {
            c.yaml(object);
        }
        c.pod("p", &mounts(&["v"]));
        c.pod("bystander", "");
        let plan = c.plan();
        assert_eq!(plan.unplaced().contains_key("p"), ignored, "{what}");
        assert!(!plan.unplaced().contains_key("bystander"), "{what}");
    }
    // The volume leaves, the claim leaves, the binding is not complete, the class binds at once.
    let changes: [(&str, &str, &str); 3] = [
        (
            "PersistentVolume",
            "pv-v",
            "metadata: {deletionTimestamp: '2026-01-01T01:00:00Z'}",
        ),
        (
            "PersistentVolumeClaim",
            "v",
            "metadata: {deletionTimestamp: '2026-01-01T01:00:00Z'}",
        ),
        ("PersistentVolumeClaim", "v", "metadata: {annotations: null}"),
    ];
    for (kind, name, change) in changes {
        let mut c = Cluster::new();
        volume(&mut c, "v", &[], "");
        c.change(kind, name, change);
        c.pod("p", &mounts(&["v"]));
        assert_eq!(c.plan().unplaced()["p"], "ignored", "{change}");
    }
    let mut c = Cluster::new();
    c.yaml("{kind: StorageClass, metadata: {name: now}, provisioner: ebs.csi.aws.com, volumeBindingMode: Immediate}");
    c.yaml(&claim("storageClassName: now", "Pending"));
    c.pod("p", &mounts(&["v"]));
    assert_eq!(c.plan().unplaced()["p"], "ignored");
}

#[test]
fn item_31_alternatives_of_classes_are_tried_in_order() {
    let mut c = Cluster::without_pools();
    c.yaml(
        "{kind: StorageClass, metadata: {name: late}, provisioner: ebs.csi.aws.com, \
         volumeBindingMode: WaitForFirstConsumer, allowedTopologies: [\
         {matchLabelExpressions: [{key: topology.ebs.csi.aws.com/zone, values: [z3]}]}, \
         {matchLabelExpressions: [{key: topology.kubernetes.io/zone, values: [z2]}]}]}",
    );
    c.yaml(
        "{kind: PersistentVolumeClaim, metadata: {name: v, namespace: default}, \
         spec: {storageClassName: late}, status: {phase: Pending}}",
    );
    c.pod("p", &mounts(&["v"]));
    let mut open = c.clone();
    open.pool("default", "");
    // The EBS key is the driver's label, which the checker does not play.
    assert_eq!(
        open.plan_unchecked().domain("p", ZONE),
        "z3",
        "the first that works"
    );
    c.pool_wants("default", &format!("[{}]", is(ZONE, "In", "z1, z2")));
    assert_eq!(
        c.plan().domain("p", ZONE),
        "z2",
        "the second where the first does not"
    );
}

#[test]
fn item_32_and_case_91_a_volume_narrows_the_node_and_not_the_counting() {
    let mut c = Cluster::new();
    volume(&mut c, "v", &["z1"], "");
    let rule = spreads(&[spread(ZONE, "p", 1, "minDomains: 3")]);
    for zone in ["z1", "z2", "z3"] {
        c.node(&format!("n-{zone}"), zone, "status: {allocatable: {cpu: '1'}}");
        c.bound(&format!("p-{zone}"), &format!("n-{zone}"), "");
    }
    c.pod("p-new", &format!("{rule}\n{}", mounts(&["v"])));
    let plan = c.plan();
    assert_eq!(plan.domain("p-new", ZONE), "z1", "2, 1, 1");
    // A second one would make it 3, 1, 1: the volume does not shrink what is compared.
    c.pod("p-two", &format!("{rule}\n{}", mounts(&["v"])));
    let plan = c.plan();
    assert_eq!(plan.unplaced().len(), 1);
}

#[test]
fn item_33_hosts_of_local_volumes() {
    let host = |source: &str, more: &str| {
        format!(
            "{source}, nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: [{}{more}]}}]}}}}",
            is(HOST, "In", "gone")
        )
    };
    for (source, placed) in [
        ("local: {path: /d}", true),
        ("hostPath: {path: /d}", true),
        ("csi: {driver: ebs.csi.aws.com}", false),
    ] {
        let mut c = Cluster::new();
        volume(&mut c, "v", &[], &host(source, ""));
        c.pod("p", &mounts(&["v"]));
        // The pod moves without its data: Kubernetes itself would wait for the host.
        assert_eq!(c.plan_unchecked().unplaced().is_empty(), placed, "{source}");
    }
    // The rest of the term counts.
    let mut c = Cluster::new();
    volume(
        &mut c,
        "v",
        &[],
        &host("local: {path: /d}", &format!(", {}", is(ZONE, "In", "z2"))),
    );
    c.pod("p", &mounts(&["v"]));
    assert_eq!(c.plan_unchecked().domain("p", ZONE), "z2");
}

#[test]
fn item_34_attach_limits_and_translated_names() {
    let with = |source: &str, class: &str| {
        let mut c = Cluster::new();
        c.node("n1", "z1", "");
        c.yaml(
            "{kind: CSINode, metadata: {name: n1}, spec: {drivers: [{name: ebs.csi.aws.com, \
             allocatable: {count: 2}}]}}",
        );
        for i in 0..3 {
            let name = format!("v{i}");
            if class.is_empty() {
                volume(&mut c, &name, &[], source);
            } else {
                c.yaml(&format!(
                    "{{kind: PersistentVolumeClaim, metadata: {{name: {name}, namespace: default}}, \
                     spec: {{storageClassName: late}}, status: {{phase: Pending}}}}"
                ));
            }
            c.pod(&format!("p-{i}"), &mounts(&[&name]));
        }
        if !class.is_empty() {
            c.yaml(&format!(
                "{{kind: StorageClass, metadata: {{name: late}}, provisioner: {class}, \
                 volumeBindingMode: WaitForFirstConsumer}}"
            ));
        }
        let plan = c.plan_unchecked();
        plan.existing()["n1"].len()
    };
    assert_eq!(with("", ""), 2, "CSI");
    assert_eq!(
        with("awsElasticBlockStore: {volumeID: x}", ""),
        2,
        "in-tree volume"
    );
    assert_eq!(with("nfs: {server: x, path: /}", ""), 3, "no driver");
    assert_eq!(with("", "ebs.csi.aws.com"), 2, "class");
    assert_eq!(with("", "kubernetes.io/aws-ebs"), 2, "in-tree class");
    assert_eq!(with("", "efs.csi.aws.com"), 3, "a driver without limit");
}

#[test]
fn case_86_two_zones_of_one_volume_for_two_apart() {
    let mut c = Cluster::new();
    volume(&mut c, "v", &["z1", "z2"], "");
    let apart = affinity(&[away(&term(ZONE, "p"))]);
    c.pods(2, "p", &format!("{apart}\n{}", mounts(&["v"])));
    let plan = c.plan();
    assert_eq!(plan.by(ZONE), counts(&[("z1", 1), ("z2", 1)]));
}

#[test]
fn case_92_an_ephemeral_volume_carries_the_default_class() {
    // Admission writes the class into the claim; from files, reading does.
    let files = "
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: usual, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: ebs.csi.aws.com, volumeBindingMode: WaitForFirstConsumer}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p-scratch, namespace: default}, spec: {}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: default}, spec: {containers: [{name: a}], volumes: [{name: scratch, ephemeral: {volumeClaimTemplate: {spec: {}}}}]}}
";
    let source = kerf::observe::files::Source::Text {
        name: "case.yaml".to_owned(),
        text: files.to_owned(),
    };
    let snapshot = kerf::observe::files::load(&[source])
        .expect("good files")
        .snapshot;
    let claim = &snapshot.volume_claims["default/p-scratch"];
    assert_eq!(claim.storage_class.as_deref(), Some("usual"));
    let pod = &snapshot.pods["default/p"];
    assert_eq!(pod.spec.volume_claims, ["p-scratch".into()]);
    // Without its claim the pod is ignored, with it and its class it has a place.
    let mut c = Cluster::new();
    c.pod(
        "p",
        "volumes: [{name: scratch, ephemeral: {volumeClaimTemplate: {spec: {}}}}]",
    );
    assert_eq!(c.plan().unplaced()["p"], "ignored");
    c.yaml("{kind: StorageClass, metadata: {name: usual}, provisioner: x, volumeBindingMode: WaitForFirstConsumer}");
    c.yaml(
        "{kind: PersistentVolumeClaim, metadata: {name: p-scratch, namespace: default}, \
         spec: {storageClassName: usual}}",
    );
    c.plan().all_placed();
}
