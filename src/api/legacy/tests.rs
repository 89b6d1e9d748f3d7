use serde_json::{Value, json};

use super::{Conversion, Fate, convert};
use crate::api::schema::Checker;

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("yaml")
}

fn find<'c>(c: &'c Conversion, kind: &str, name: &str) -> &'c Value {
    c.objects
        .iter()
        .find(|o| o["kind"] == kind && o["metadata"]["name"] == name)
        .expect("object")
}

fn accepted(c: &Conversion) {
    let checker = Checker::new();
    for object in &c.objects {
        let kind = object["kind"].as_str().expect("kind");
        let filled = checker.with_defaults(kind, object);
        assert_eq!(checker.check(kind, &filled, None), [], "{object:#}");
    }
}

fn named(c: &Conversion, path: &str, fate: Fate) {
    assert!(
        c.notes.iter().any(|n| n.path == path && n.fate == fate),
        "{path} is not named as {fate:?}: {:#?}",
        c.notes
    );
}

const PROVISIONER: &str = r#"
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: {name: web, uid: "1", resourceVersion: "7", annotations: {karpenter.sh/provisioner-hash: "9"}}
spec:
  labels: {team: a}
  annotations: {karpenter.sh/do-not-consolidate: "true"}
  requirements:
    - {key: karpenter.sh/capacity-type, operator: In, values: [spot]}
  taints: [{key: a, effect: NoSchedule}]
  startupTaints: [{key: b, effect: NoExecute}]
  kubeletConfiguration: {maxPods: 20, containerRuntime: dockerd}
  ttlSecondsUntilExpired: 2592000
  ttlSecondsAfterEmpty: 30
  limits: {resources: {cpu: "100"}}
  weight: 10
  providerRef: {name: old}
status: {resources: {cpu: "4"}}
"#;

const TEMPLATE: &str = r#"
apiVersion: karpenter.k8s.aws/v1alpha1
kind: AWSNodeTemplate
metadata: {name: old}
spec:
  instanceProfile: nodes
  subnetSelector: {karpenter.sh/discovery: c, Name: "a,b"}
  securityGroupSelector: {aws-ids: "sg-1,sg-2"}
  amiSelector: {"aws::name": img, "aws::owners": "self,amazon"}
  tags: {x: why}
  launchTemplate: mine
"#;

#[test]
fn a_provisioner_becomes_a_pool_and_its_kubelet_goes_to_the_class() {
    let c = convert(&[yaml(PROVISIONER), yaml(TEMPLATE)]);
    let pool = find(&c, "NodePool", "web");
    assert_eq!(pool["metadata"], json!({"name": "web"}));
    let template = &pool["spec"]["template"];
    assert_eq!(
        template["metadata"],
        json!({"labels": {"team": "a"}, "annotations": {"karpenter.sh/do-not-disrupt": "true"}})
    );
    assert_eq!(
        template["spec"]["nodeClassRef"],
        json!({"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "old"})
    );
    assert_eq!(template["spec"]["expireAfter"], "2592000s");
    assert_eq!(
        pool["spec"]["disruption"],
        json!({"consolidationPolicy": "WhenEmpty", "consolidateAfter": "30s"})
    );
    assert_eq!(pool["spec"]["limits"], json!({"cpu": "100"}));
    assert_eq!(pool["spec"]["weight"], 10);
    let keys: Vec<&str> = template["spec"]["requirements"]
        .as_array()
        .expect("list")
        .iter()
        .filter_map(|r| r["key"].as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "karpenter.sh/capacity-type",
            "kubernetes.io/os",
            "kubernetes.io/arch",
            "karpenter.k8s.aws/instance-category",
            "karpenter.k8s.aws/instance-generation",
        ]
    );
    let class = find(&c, "EC2NodeClass", "old");
    assert_eq!(class["spec"]["kubelet"], json!({"maxPods": 20}));
    named(
        &c,
        "Provisioner/web spec.kubeletConfiguration.containerRuntime",
        Fate::Impossible,
    );
    named(&c, "Provisioner/web status", Fate::Dropped);
    accepted(&c);
}

#[test]
fn selectors_with_commas_become_a_term_for_each_combination() {
    let c = convert(&[yaml(TEMPLATE)]);
    let spec = &find(&c, "EC2NodeClass", "old")["spec"];
    let tags = |name: &str| json!({"tags": {"karpenter.sh/discovery": "c", "Name": name}});
    assert_eq!(spec["subnetSelectorTerms"], json!([tags("a"), tags("b")]));
    assert_eq!(
        spec["securityGroupSelectorTerms"],
        json!([{"id": "sg-1"}, {"id": "sg-2"}])
    );
    assert_eq!(
        spec["amiSelectorTerms"],
        json!([{"name": "img", "owner": "self,amazon"}])
    );
    assert_eq!(spec["amiFamily"], "AL2");
    assert_eq!(spec["metadataOptions"], json!({"httpPutResponseHopLimit": 2}));
    named(&c, "AWSNodeTemplate/old spec.launchTemplate", Fate::Impossible);
    assert!(!c.complete());
}

#[test]
fn an_inline_provider_is_a_class_of_its_own() {
    let c = convert(&[yaml(
        r"
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: {name: inline}
spec:
  consolidation: {enabled: true}
  provider:
    instanceProfile: nodes
    subnetSelector: {a: b}
    securityGroupSelector: {a: b}
",
    )]);
    let class = find(&c, "EC2NodeClass", "inline");
    assert_eq!(
        class["spec"]["amiSelectorTerms"],
        json!([{"alias": "al2@latest"}])
    );
    let pool = find(&c, "NodePool", "inline");
    assert_eq!(pool["spec"]["template"]["spec"]["nodeClassRef"]["name"], "inline");
    assert_eq!(
        pool["spec"]["disruption"]["consolidationPolicy"],
        "WhenEmptyOrUnderutilized"
    );
    assert_eq!(pool["spec"]["template"]["spec"]["expireAfter"], "Never");
    assert!(c.complete(), "{:#?}", c.notes);
    accepted(&c);
}

fn pool(name: &str, rest: &str) -> Value {
    yaml(&format!(
        r"
apiVersion: karpenter.sh/v1beta1
kind: NodePool
metadata: {{name: {name}}}
spec:
  template:
    spec:
      nodeClassRef: {{apiVersion: karpenter.k8s.aws/v1beta1, kind: EC2NodeClass, name: default}}
      requirements: [{{key: kubernetes.io/arch, operator: In, values: [arm64]}}]
      {rest}
  disruption: {{consolidationPolicy: WhenUnderutilized, expireAfter: 48h}}
"
    ))
}

const CLASS: &str = r"
apiVersion: karpenter.k8s.aws/v1beta1
kind: EC2NodeClass
metadata: {name: default}
spec:
  amiFamily: Bottlerocket
  role: nodes
  subnetSelectorTerms: [{tags: {a: b}}]
  securityGroupSelectorTerms: [{name: web}]
  metadataOptions: {httpPutResponseHopLimit: 3}
";

#[test]
fn a_v1beta1_pool_moves_its_expiry_and_keeps_its_policy() {
    let c = convert(&[pool("a", ""), yaml(CLASS)]);
    let new = find(&c, "NodePool", "a");
    assert_eq!(new["spec"]["template"]["spec"]["expireAfter"], "48h");
    assert_eq!(
        new["spec"]["disruption"],
        json!({"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "0s"})
    );
    let class = &find(&c, "EC2NodeClass", "default")["spec"];
    assert_eq!(
        class["amiSelectorTerms"],
        json!([{"alias": "bottlerocket@latest"}])
    );
    assert_eq!(class["metadataOptions"], json!({"httpPutResponseHopLimit": 3}));
    assert!(c.complete(), "{:#?}", c.notes);
    accepted(&c);
}

#[test]
fn pools_of_one_class_with_other_kubelet_settings_get_a_copy() {
    let c = convert(&[
        pool("a", "kubelet: {maxPods: 10}"),
        pool("b", "kubelet: {maxPods: 20}"),
        pool("c", "kubelet: {maxPods: 10}"),
        pool("d", ""),
        yaml(CLASS),
    ]);
    let class_of =
        |name: &str| find(&c, "NodePool", name)["spec"]["template"]["spec"]["nodeClassRef"]["name"].clone();
    assert_eq!(
        ["a", "b", "c", "d"].map(class_of),
        ["default", "default-b", "default", "default-d"].map(Value::from)
    );
    let kubelet = |name: &str| find(&c, "EC2NodeClass", name)["spec"].get("kubelet").cloned();
    assert_eq!(kubelet("default"), Some(json!({"maxPods": 10})));
    assert_eq!(kubelet("default-b"), Some(json!({"maxPods": 20})));
    assert_eq!(kubelet("default-d"), None);
    accepted(&c);
}

#[test]
fn what_cannot_be_is_named() {
    let c = convert(&[
        pool(
            "a",
            "kubelet: {maxPods: 10}\n      resources: {requests: {cpu: 1}}\n      surprise: 1",
        ),
        json!({"apiVersion": "karpenter.sh/v1alpha5", "kind": "Machine", "metadata": {"name": "m"}}),
        json!({"apiVersion": "karpenter.k8s.aws/v1beta1", "kind": "EC2NodeClass", "metadata": {"name": "u"},
               "spec": {"amiFamily": "Ubuntu", "metadataOptions": "wrong"}}),
    ]);
    named(&c, "NodePool/a spec.template.spec.kubelet", Fate::Impossible);
    named(&c, "NodePool/a spec.template.spec.resources", Fate::Dropped);
    named(&c, "NodePool/a spec.template.spec.surprise", Fate::Impossible);
    named(&c, "Machine/m", Fate::Impossible);
    named(&c, "EC2NodeClass/u spec.amiFamily", Fate::Impossible);
}

#[test]
fn other_objects_pass_with_renamed_keys() {
    let c = convert(&[json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Pod",
         "metadata": {"name": "p", "annotations": {"karpenter.sh/do-not-evict": "true"}},
         "spec": {"nodeSelector": {"karpenter.sh/provisioner-name": "web"},
                  "topologySpreadConstraints": [{"topologyKey": "karpenter.sh/provisioner-name"}]}}]})]);
    assert_eq!(
        c.objects,
        [json!({"apiVersion": "v1", "kind": "Pod",
         "metadata": {"name": "p", "annotations": {"karpenter.sh/do-not-disrupt": "true"}},
         "spec": {"nodeSelector": {"karpenter.sh/nodepool": "web"},
                  "topologySpreadConstraints": [{"topologyKey": "karpenter.sh/nodepool"}]}})]
    );
    assert_eq!(c.notes.len(), 3);
}
