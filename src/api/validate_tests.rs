//! The validation matrix of `api §14`, row by row, against the shipped definitions and the run-time rules.

use serde_json::{Value, json};

use super::super::nodepool::NodePoolSpec;
use super::super::schema::Checker;

#[path = "validate_class_tests.rs"]
mod classes;

fn pool(change: impl FnOnce(&mut Value)) -> Value {
    let mut pool = json!({"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "p"},
        "spec": {"template": {"spec": {"requirements": [],
            "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "c"}}}}});
    change(&mut pool["spec"]);
    pool
}

fn class(change: impl FnOnce(&mut Value)) -> Value {
    let mut class = json!({"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "c"},
        "spec": {"role": "r", "amiSelectorTerms": [{"alias": "al2023@latest"}],
            "subnetSelectorTerms": [{"tags": {"a": "b"}}], "securityGroupSelectorTerms": [{"tags": {"a": "b"}}]}});
    change(&mut class["spec"]);
    class
}

struct Matrix {
    checker: Checker,
    wrong: Vec<String>,
}

impl Matrix {
    fn verdict(&mut self, row: &str, kind: &str, object: &Value, old: Option<&Value>, accepted: bool) {
        let problems = self.checker.check(kind, object, old);
        if problems.is_empty() != accepted {
            self.wrong.push(format!(
                "{row}: accepted={} {problems:?}\n  {object}",
                problems.is_empty()
            ));
        }
    }
    fn pools(&mut self, row: &str, accepted: bool, path: &str, values: &[Value]) {
        for value in values {
            let object = pool(|s| put(s, path, value));
            self.verdict(row, "NodePool", &object, None, accepted);
        }
    }
    fn classes(&mut self, row: &str, accepted: bool, path: &str, values: &[Value]) {
        for value in values {
            let object = class(|s| put(s, path, value));
            self.verdict(row, "EC2NodeClass", &object, None, accepted);
        }
    }
    fn requirement(&mut self, row: &str, accepted: bool, requirements: &[Value]) {
        for r in requirements {
            self.pools(row, accepted, "template.spec.requirements", &[json!([r])]);
        }
    }
}

fn put(spec: &mut Value, path: &str, value: &Value) {
    let mut at = spec;
    for part in path.split('.') {
        at = &mut at[part];
    }
    *at = value.clone();
}

fn matrix() -> Matrix {
    Matrix {
        checker: Checker::new(),
        wrong: Vec::new(),
    }
}

fn done(m: &Matrix) {
    assert!(m.wrong.is_empty(), "{}", m.wrong.join("\n"));
}

#[test]
fn rows_1_to_15_disruption_and_taints() {
    let mut m = matrix();
    m.verdict("1", "NodePool", &pool(|_| ()), None, true);
    let filled = m.checker.with_defaults("NodePool", &pool(|_| ()));
    assert_eq!(
        filled["spec"]["disruption"],
        json!({"consolidateAfter": "0s", "consolidationPolicy": "WhenEmptyOrUnderutilized", "budgets": [{"nodes": "10%"}]})
    );
    let expire = "template.spec.expireAfter";
    m.pools(
        "2",
        true,
        expire,
        &[json!("Never"), json!("1h30m5s"), json!("30s")],
    );
    m.pools(
        "3",
        false,
        expire,
        &[json!("-1s"), json!("1hr"), json!("FooNever"), json!("1.5h")],
    );
    m.pools(
        "4",
        false,
        "template.spec.terminationGracePeriod",
        &[json!("Never")],
    );
    let budget = |b: Value| json!([b]);
    for nodes in ["101%", "-1", "-10%", "1000%"] {
        m.pools(
            "5",
            false,
            "disruption.budgets",
            &[budget(json!({"nodes": nodes}))],
        );
    }
    for nodes in ["0", "100%"] {
        m.pools(
            "6",
            true,
            "disruption.budgets",
            &[budget(json!({"nodes": nodes}))],
        );
    }
    m.pools(
        "7",
        false,
        "disruption.budgets",
        &[
            budget(json!({"nodes": "1", "schedule": "@daily"})),
            budget(json!({"nodes": "1", "duration": "1h"})),
            json!([{"nodes": "1"}, {"nodes": "1", "duration": "1h"}]),
        ],
    );
    m.pools(
        "8",
        false,
        "disruption.budgets",
        &[budget(
            json!({"nodes": "1", "schedule": "* * * *", "duration": "1h"}),
        )],
    );
    m.pools(
        "9",
        true,
        "disruption.budgets",
        &[budget(
            json!({"nodes": "1", "schedule": "@monthly", "duration": "1h30m"}),
        )],
    );
    for duration in ["30s", "-1h"] {
        let b = json!({"nodes": "1", "schedule": "@daily", "duration": duration});
        m.pools("10", false, "disruption.budgets", &[budget(b)]);
    }
    for reason in ["expired", "invalid", ""] {
        m.pools(
            "11",
            false,
            "disruption.budgets",
            &[budget(json!({"nodes": "1", "reasons": [reason]}))],
        );
    }
    let policies = [json!("WhenUnderutilized"), json!("balanced"), json!("")];
    m.pools("12", false, "disruption.consolidationPolicy", &policies);
    m.pools(
        "13",
        false,
        "template.spec.taints",
        &[
            json!([{"effect": "NoSchedule"}]),
            json!([{"key": "a", "effect": "NoAdmit"}]),
            json!([{"key": "a", "value": "???", "effect": "NoSchedule"}]),
        ],
    );
    m.pools(
        "14",
        true,
        "template.spec.taints",
        &[json!([{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}])],
    );
    let double = pool(|s| {
        s["template"]["spec"]["taints"] = json!([{"key": "a", "effect": "NoSchedule"}]);
        s["template"]["spec"]["startupTaints"] = json!([{"key": "a", "effect": "NoSchedule"}]);
    });
    m.verdict("15", "NodePool", &double, None, true);
    assert_eq!(run_time(&double).len(), 1, "15 {:?}", run_time(&double));
    done(&m);
}

fn run_time(pool: &Value) -> Vec<String> {
    let spec: NodePoolSpec = serde_json::from_value(pool["spec"].clone()).expect("spec");
    super::nodepool(&spec)
}

#[test]
fn rows_16_to_32_requirements_and_changes() {
    let mut m = matrix();
    let exists = |key: &str| json!({"key": key, "operator": "Exists"});
    m.requirement("16", false, &[exists(&"a".repeat(317))]);
    let long = pool(|s| s["template"]["spec"]["requirements"] = json!([exists(&"a".repeat(64))]));
    m.verdict("16", "NodePool", &long, None, true);
    assert_eq!(run_time(&long).len(), 1);
    m.requirement("17", false, &[exists("karpenter.sh/nodepool")]);
    let claim = json!({"apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": {"name": "n"}, "spec": {
        "requirements": [exists("karpenter.sh/nodepool")], "nodeClassRef": {"group": "g", "kind": "k", "name": "c"}}});
    m.verdict("17", "NodeClaim", &claim, None, true);
    m.requirement(
        "18",
        false,
        &[exists("karpenter.sh/custom"), exists("sub.karpenter.sh/custom")],
    );
    m.requirement("19", false, &[exists("kubernetes.io/hostname")]);
    m.requirement(
        "20",
        true,
        &[
            exists("node.kubernetes.io/anything"),
            exists("kops.k8s.io/x"),
            exists("kubernetes.io/custom"),
        ],
    );
    m.requirement(
        "21",
        false,
        &[json!({"key": "a", "operator": "In", "values": []})],
    );
    m.pools("22", true, "template.spec.requirements", &[json!([])]);
    for operator in ["Gt", "Lt", "Gte", "Lte"] {
        for values in [json!(["a"]), json!(["-1"]), json!(["1", "2"]), json!([])] {
            m.requirement(
                "23",
                false,
                &[json!({"key": "a", "operator": operator, "values": values})],
            );
        }
        m.requirement(
            "23",
            true,
            &[json!({"key": "a", "operator": operator, "values": ["0"]})],
        );
    }
    for n in [0, -1, 51] {
        m.requirement(
            "24",
            false,
            &[json!({"key": "a", "operator": "Exists", "minValues": n})],
        );
    }
    let many: Vec<String> = (0..51).map(|n| format!("v{n}")).collect();
    m.requirement(
        "25",
        true,
        &[json!({"key": "a", "operator": "In", "values": many})],
    );
    m.requirement(
        "26",
        false,
        &[json!({"key": "a", "operator": "In", "values": ["x", "y"], "minValues": 3})],
    );
    m.pools("27", false, "template.metadata.labels", &[json!({"a": "b c"})]);
    for (field, accepted) in [("group", false), ("kind", false), ("name", true)] {
        let new = pool(|s| s["template"]["spec"]["nodeClassRef"][field] = json!("other"));
        m.verdict("28", "NodePool", &new, Some(&pool(|_| ())), accepted);
    }
    let fixed = |n: i64| pool(|s| s["replicas"] = json!(n));
    m.pools("29", false, "replicas", &[]);
    for (extra, value, accepted) in [
        ("weight", json!(1), false),
        ("limits", json!({"cpu": "1"}), false),
        ("limits", json!({"nodes": 5}), true),
    ] {
        let mut object = fixed(3);
        object["spec"][extra] = value;
        m.verdict("29, 30", "NodePool", &object, None, accepted);
    }
    let plain = pool(|_| ());
    m.verdict("31", "NodePool", &fixed(3), Some(&plain), false);
    m.verdict("31", "NodePool", &plain, Some(&fixed(3)), false);
    m.verdict("31", "NodePool", &fixed(5), Some(&fixed(3)), true);
    m.verdict("31", "NodePool", &fixed(0), None, true);
    let mut changed = claim.clone();
    changed["spec"]["expireAfter"] = json!("1h");
    m.verdict("32", "NodeClaim", &changed, Some(&claim), false);
    m.verdict("32", "NodeClaim", &claim, Some(&claim), true);
    done(&m);
}

#[test]
fn rows_33_to_39_overlays_and_buffers() {
    let mut m = matrix();
    let overlay = |spec: Value| {
        let mut spec = spec;
        if spec["requirements"].is_null() {
            spec["requirements"] = json!([]);
        }
        json!({"apiVersion": "karpenter.sh/v1alpha1", "kind": "NodeOverlay", "metadata": {"name": "o"}, "spec": spec})
    };
    m.verdict(
        "33",
        "NodeOverlay",
        &overlay(json!({"price": "1", "priceAdjustment": "+1"})),
        None,
        false,
    );
    for a in ["+10%", "-0.5", "+.25", "-100%"] {
        m.verdict(
            "34",
            "NodeOverlay",
            &overlay(json!({"priceAdjustment": a})),
            None,
            true,
        );
    }
    for a in ["10%", "5", "-101%", "-150%"] {
        m.verdict(
            "35",
            "NodeOverlay",
            &overlay(json!({"priceAdjustment": a})),
            None,
            false,
        );
    }
    m.verdict(
        "36",
        "NodeOverlay",
        &overlay(json!({"capacity": {"cpu": 1}})),
        None,
        false,
    );
    m.verdict(
        "36",
        "NodeOverlay",
        &overlay(json!({"capacity": {"nvidia.com/gpu": 1}})),
        None,
        true,
    );
    m.verdict(
        "37",
        "NodeOverlay",
        &overlay(json!({"requirements": [{"key": "a", "operator": "NotIn"}]})),
        None,
        false,
    );
    let buffer = |spec: Value| json!({"apiVersion": "autoscaling.x-k8s.io/v1beta1", "kind": "CapacityBuffer", "metadata": {"name": "b"}, "spec": spec});
    let (template, target) = (json!({"name": "t"}), json!({"kind": "Deployment", "name": "d"}));
    m.verdict(
        "38",
        "CapacityBuffer",
        &buffer(json!({"podTemplateRef": template})),
        None,
        false,
    );
    m.verdict(
        "39",
        "CapacityBuffer",
        &buffer(json!({"podTemplateRef": template, "scalableRef": target, "replicas": 1})),
        None,
        false,
    );
    m.verdict("39", "CapacityBuffer", &buffer(json!({})), None, true);
    done(&m);
}

#[test]
fn refusals_name_the_field_and_what_was_probably_meant() {
    let checker = Checker::new();
    let say = |object: &Value| -> Vec<String> {
        checker
            .check("NodePool", object, None)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        say(&pool(|s| s["wieght"] = json!(1))),
        ["spec.wieght: unknown field, did you mean \"weight\"?"]
    );
    assert_eq!(
        say(&pool(
            |s| s["disruption"]["consolidationPolicy"] = json!("WhenEmptyOrUnderutilised")
        )),
        [
            "spec.disruption.consolidationPolicy: \"WhenEmptyOrUnderutilised\" is not one of WhenEmpty, \
          WhenEmptyOrUnderutilized, Balanced, did you mean \"WhenEmptyOrUnderutilized\"?"
        ]
    );
    let bad = pool(|s| {
        s["template"]["spec"]["requirements"] = json!([{"key": "a", "operator": "Gt", "values": ["x"]}]);
    });
    assert_eq!(
        say(&bad),
        ["spec.template.spec.requirements: the operator Gt needs exactly one value, a whole number that is not negative"]
            .map(|s| s.replace("the operator Gt needs", "the operators Gt, Lt, Gte and Lte need"))
    );
}

#[test]
fn known_values_are_judged_at_run_time() {
    let requirement = |values: &[&str], min: Option<i32>| super::Requirement {
        key: "karpenter.sh/capacity-type".into(),
        operator: "In".into(),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        min_values: min,
    };
    assert!(super::requirement(&requirement(&["spot", "made-up"], None)).is_empty());
    assert_eq!(super::requirement(&requirement(&["made-up"], None)).len(), 1);
    assert_eq!(
        super::requirement(&requirement(&["spot", "made-up"], Some(2))).len(),
        1
    );
}
