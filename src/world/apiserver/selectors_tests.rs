use serde_json::json;

use super::*;
use crate::world::apiserver::testkit::kind;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

#[test]
fn label_selectors_match() {
    let object = labels(&[
        ("app", "web"),
        ("tier", ""),
        ("n", "5"),
        ("example.com/team", "a.b"),
    ]);
    for (text, want) in [
        ("", true),
        ("app=web", true),
        ("app==web", true),
        ("app = web , tier=", true),
        ("app!=web", false),
        ("missing!=x", true),
        ("app in (db, web)", true),
        ("app in (db)", false),
        ("app notin (db)", true),
        ("missing notin (db)", true),
        ("missing in (db)", false),
        ("app", true),
        ("missing", false),
        ("!missing", true),
        ("!app", false),
        ("n>4", true),
        ("n > 5", false),
        ("n<6", true),
        ("n gt 4,n lt 6", true),
        ("app>4", false),
        ("example.com/team=a.b,!gone", true),
        ("app=web,tier in (,x)", true),
        ("in", false),
    ] {
        let query = parse_labels(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(query.matches(&object), want, "{text}");
    }
}

#[test]
fn bad_label_selectors_are_refused() {
    for text in [
        "a=b,",
        ",a",
        "a in",
        "a in (b",
        "a in b",
        "=b",
        "a===b",
        "a=b c",
        "a>x",
        "-a=b",
        "a=b!",
        "!",
        "a/b/c",
        "UP.example/x=1",
        "a=(b)",
    ] {
        assert!(parse_labels(text).is_err(), "{text} was accepted");
    }
    let long = "x".repeat(64);
    assert!(parse_labels(&format!("{long}=1")).is_err());
    assert!(parse_labels(&format!("a={long}")).is_err());
}

#[test]
fn field_selectors_match() {
    let pod = json!({"metadata": {"name": "p", "namespace": "x"},
        "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}});
    let pods = kind("pods");
    for (text, want) in [
        ("", true),
        ("metadata.name=p", true),
        ("metadata.name==p", true),
        ("metadata.name!=p", false),
        ("metadata.namespace=x,spec.nodeName=n1", true),
        (
            "spec.nodeName=n1,status.phase!=Succeeded,status.phase!=Failed",
            true,
        ),
        ("spec.nodeName=", false),
        ("spec.hostNetwork=false", true),
        ("status.nominatedNodeName=", true),
        (r"metadata.name=a\,b\=c\\d", false),
    ] {
        let query = parse_fields(&pods, text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(query.matches(&pod), want, "{text}");
    }
    let name = parse_fields(&pods, "metadata.name=p").unwrap();
    assert!(name.only_name() && name.matches_name("x", "p") && !name.matches_name("x", "q"));
    assert!(!parse_fields(&pods, "spec.nodeName=n1").unwrap().only_name());

    let node = json!({"spec": {"unschedulable": true}});
    let nodes = kind("nodes");
    assert!(
        parse_fields(&nodes, "spec.unschedulable=true")
            .unwrap()
            .matches(&node)
    );
    assert!(
        parse_fields(&nodes, "spec.unschedulable=false")
            .unwrap()
            .matches(&json!({}))
    );

    let event = json!({"involvedObject": {"kind": "Node", "uid": "u"}, "source": {"component": "kubelet"}});
    let events = kind("events");
    let query = parse_fields(
        &events,
        "involvedObject.kind=Node,involvedObject.uid=u,source=kubelet",
    )
    .unwrap();
    assert!(query.matches(&event));
    assert!(
        query.matches(&json!({"regarding": {"kind": "Node", "uid": "u"}, "reportingController": "kubelet"}))
    );
}

#[test]
fn unknown_fields_are_400() {
    let error = |key: &str, text: &str| parse_fields(&kind(key), text).unwrap_err();
    assert_eq!(
        error("nodepools.karpenter.sh", "spec.weight=1"),
        "\"spec.weight\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    );
    assert_eq!(
        error("pods", "spec.priority=1"),
        "field label not supported: spec.priority"
    );
    assert!(error("pods", "metadata.name").contains("can't understand"));
    assert!(error("pods", r"metadata.name=a\x").contains("escape"));
    assert!(error("pods", "metadata.name=a=b").contains("unescaped"));
}
