use super::*;

const CLASS: &str = "
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: general}
spec:
  role: r
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{tags: {a: b}}]
  securityGroupSelectorTerms: [{tags: {a: b}}]
";
const POOL: &str = "
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: web}
spec:
  disruption: {budgets: [{nodes: 5}]}
  template:
    spec:
      requirements: []
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: general}
";
const WORKLOADS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: c, resources: {requests: {cpu: 500m}}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  template:
    spec:
      containers: [{name: c}]
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: gp3}}]
---
apiVersion: v1
kind: Pod
metadata: {name: lone}
spec: {containers: [{name: c, resources: {limits: {memory: 1Gi}}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: s}
";

fn text(parts: &[&str]) -> Vec<Source> {
    parts
        .iter()
        .enumerate()
        .map(|(i, t)| Source::Text {
            name: format!("f{i}.yaml"),
            text: (*t).to_owned(),
        })
        .collect()
}

fn errors(parts: &[&str]) -> Vec<String> {
    load(&text(parts))
        .expect_err("must be refused")
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn workloads_become_pods_that_wait_for_a_node() {
    let loaded = load(&text(&[CLASS, POOL, WORKLOADS])).expect("valid");
    let s = &loaded.snapshot;
    let names: Vec<&str> = s.pods.keys().map(|k| &**k).collect();
    assert_eq!(
        names,
        [
            "default/db-0",
            "default/db-1",
            "default/lone",
            "shop/api-0",
            "shop/api-1",
            "shop/api-2"
        ]
    );
    assert!(s.pods.values().all(|p| p.is_provisionable()));
    assert_eq!(s.pods["default/lone"].spec.requests.memory, 1 << 30);
    assert!(s.pods["shop/api-0"].owned_by("ReplicaSet"));
    assert_eq!(s.pods["default/db-0"].spec.volume_claims, ["data-db-0".into()]);
    assert!(s.volume_claims.contains_key("default/data-db-1"));
    assert_eq!(&*s.pools["web"].disruption.budgets[0].nodes, "5");
    assert_eq!(loaded.ignored.get("ConfigMap"), Some(&1));
    assert!(s.namespaces.contains_key("shop"));
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let one = load(&text(&[CLASS, POOL, WORKLOADS])).expect("valid").snapshot;
    let other = load(&text(&[WORKLOADS, POOL, CLASS])).expect("valid").snapshot;
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

#[test]
fn a_dump_with_workloads_and_their_pods_counts_them_once() {
    let pod = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: x, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api-77, uid: u}]}, spec: {nodeName: n, containers: []}}
- {apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: api-77, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: api, uid: d}]}, spec: {replicas: 3}}
";
    let s = load(&text(&[WORKLOADS, pod])).expect("valid").snapshot;
    let shop: Vec<&str> = s
        .pods
        .keys()
        .map(|k| &**k)
        .filter(|k| k.starts_with("shop/"))
        .collect();
    assert_eq!(shop, ["shop/api-0", "shop/api-1", "shop/x"]);
    assert_eq!(s.pods["shop/x"].phase, crate::model::Phase::Running);
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let broken = "a: 1\n---\nkind: [\n";
    let all = errors(&[
        broken,
        POOL,
        "# nothing\n",
        &POOL.replace("general", "genral").replace("web", "api"),
    ]);
    assert!(
        all.iter()
            .any(|e| e.starts_with("f0.yaml, document 1, kind: is missing")),
        "{all:#?}"
    );
    assert!(
        all.iter()
            .any(|e| e.starts_with("f0.yaml, document 2: line ") && e.contains("not valid YAML")),
        "{all:#?}"
    );
    assert!(
        all.iter().any(|e| e.starts_with("f2.yaml: holds no object")),
        "{all:#?}"
    );
    assert!(
        all.iter().any(|e| e.contains(
            "NodePool/web spec.template.spec.nodeClassRef.name: there is no EC2NodeClass \"general\""
        )),
        "{all:#?}"
    );
}

#[test]
fn a_wrong_class_name_gets_a_hint_and_doubles_are_refused() {
    let all = errors(&[
        CLASS,
        POOL,
        POOL,
        &POOL.replace("general", "genral").replace("web", "api"),
    ]);
    assert!(
        all.iter().any(|e| e.contains("did you mean \"general\"?")),
        "{all:#?}"
    );
    assert!(
        all.iter()
            .any(|e| e.contains("NodePool/web: is given twice, first in f1.yaml")),
        "{all:#?}"
    );
}

#[test]
fn old_versions_unknown_fields_operators_and_quantities_are_named() {
    let old = POOL.replace("karpenter.sh/v1", "karpenter.sh/v1beta1");
    assert!(errors(&[CLASS, &old])[0].contains("`kerf convert`"));
    let typo = POOL.replace("requirements: []", "requirments: []");
    let all = errors(&[CLASS, &typo]);
    assert!(
        all.iter().any(|e| e.contains("did you mean \"requirements\"?")),
        "{all:#?}"
    );
    let pod = "
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: c, resources: {requests: {cpu: 1core}}}]
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: in, values: [b]}]}]}}}
";
    let all = errors(&[pod]);
    assert!(
        all.iter()
            .any(|e| e.contains("spec.containers[0].resources.requests.cpu: \"1core\" is not a quantity")),
        "{all:#?}"
    );
    assert!(
        all.iter()
            .any(|e| e.contains("operator: \"in\" is not one of In, NotIn")
                && e.contains("did you mean \"In\"?")),
        "{all:#?}"
    );
    let cased = POOL.replace("kind: NodePool", "kind: Nodepool");
    assert!(errors(&[CLASS, &cased])[0].contains("did you mean \"NodePool\"?"));
}

#[test]
fn json_lists_and_typed_lists_are_unpacked() {
    let list = r#"{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"generateName": "a-"}, "spec": {"containers": []}},
        {"metadata": {"generateName": "a-"}, "spec": {"containers": []}}]}"#;
    let s = load(&text(&[list])).expect("valid").snapshot;
    assert_eq!(s.pods.len(), 2);
}

/// `scheduling §6.3`: no pod to be placed may select by a label that is ours.
#[test]
fn selectors_on_restricted_labels_are_refused() {
    let pod = |more: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c}}], {more}}}\n"
        )
    };
    let refused = pod("nodeSelector: {karpenter.sh/other: x}");
    let errors = load(&text(&[&refused])).expect_err("restricted");
    assert_eq!(errors.len(), 1);
    let said = errors[0].to_string();
    assert!(
        said.starts_with(
            "f0.yaml, document 1, Pod/default/p spec.nodeSelector[\"karpenter.sh/other\"]: the label"
        ),
        "{said}"
    );
    for fine in [
        "nodeSelector: {karpenter.sh/nodepool: web, beta.kubernetes.io/arch: amd64}",
        "nodeName: n1, nodeSelector: {kubernetes.io/hostname: n1}",
    ] {
        assert!(load(&text(&[&pod(fine)])).is_ok(), "{fine}");
    }
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: c}], \
               nodeSelector: {kubernetes.io/hostname: n1}}}}\n";
    assert!(load(&text(&[job])).is_err());
}

/// `scheduling §6.4`: too few or too many values make the pod ignored, with the reason.
#[test]
fn operators_with_the_wrong_number_of_values_are_kept_for_the_reason() {
    let pod = "
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: c}]
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
        - matchExpressions:
          - {key: a, operator: In}
          - {key: b, operator: Gt, values: ['1', '2']}
          - {key: c, operator: Gte, values: ['4']}
";
    let loaded = load(&text(&[pod])).expect("good");
    let invalid = &loaded.snapshot.pods["default/p"].spec.invalid;
    assert_eq!(invalid.len(), 2);
    assert!(
        invalid[0].starts_with("a: the operator In needs"),
        "{}",
        invalid[0]
    );
    assert!(
        invalid[1].starts_with("b: the operator Gt needs"),
        "{}",
        invalid[1]
    );
}

/// Buffers and what they refer to are rows of their own; a Deployment stands for its ReplicaSet, too.
#[test]
fn workloads_are_rows() {
    let buffer = "
apiVersion: autoscaling.x-k8s.io/v1beta1
kind: CapacityBuffer
metadata: {name: b, namespace: shop}
spec: {scalableRef: {kind: Deployment, name: api}, percentage: 50}
---
apiVersion: v1
kind: PodTemplate
metadata: {name: t}
template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app: api}}
";
    let loaded = load(&text(&[WORKLOADS, buffer])).expect("good");
    let s = &loaded.snapshot;
    assert_eq!(s.deployments["shop/api"].replicas, 3);
    assert_eq!(s.replica_sets["shop/api"].template.spec.requests.cpu, 500);
    assert_eq!(s.stateful_sets["default/db"].replicas, 2);
    assert_eq!(s.pod_templates["default/t"].spec.requests.cpu, 1000);
    let buffer = &s.buffers["shop/b"];
    assert_eq!(buffer.scalable.as_ref().map(|r| &*r.group), Some("apps"));
    assert!(s.services["default/s"].selector.is_some());
}
