//! Rows of the validation matrix that are about node classes.

use super::*;

#[test]
fn rows_40_to_54_selectors_and_tags() {
    let mut m = matrix();
    m.classes("40", false, "instanceProfile", &[json!("p")]);
    m.classes("40", false, "role", &[Value::Null]);
    m.classes("41", false, "role", &[json!("")]);
    m.classes("42", false, "amiSelectorTerms", &[json!([{"id": "ami-1"}])]);
    m.classes("43", false, "amiFamily", &[json!("AL2")]);
    m.classes("43", true, "amiFamily", &[json!("Custom"), json!("AL2023")]);
    for alias in ["al2023", "al2023@", "@latest", "al2023-latest", "ubuntu@latest"] {
        m.classes("44", false, "amiSelectorTerms", &[json!([{"alias": alias}])]);
    }
    m.classes(
        "45",
        false,
        "amiSelectorTerms",
        &[json!([{"alias": "windows2022@v1.0.0"}])],
    );
    m.classes(
        "46",
        false,
        "amiSelectorTerms",
        &[json!([{"alias": "al2023@latest"}, {"id": "ami-1"}])],
    );
    for term in [json!({"owner": "self"}), json!({"id": "ami-1", "name": "n"})] {
        let object = class(|s| {
            s["amiFamily"] = json!("AL2023");
            s["amiSelectorTerms"] = json!([term]);
        });
        m.verdict("47, 48", "EC2NodeClass", &object, None, false);
    }
    let both = json!({"id": "subnet-1", "tags": {"a": "b"}});
    m.classes("49", false, "subnetSelectorTerms", &[json!([both])]);
    m.classes(
        "49",
        true,
        "subnetSelectorTerms",
        &[json!([{"id": "subnet-1"}, both])],
    );
    m.classes(
        "50",
        false,
        "securityGroupSelectorTerms",
        &[json!([{"name": "n", "tags": {"a": "b"}}])],
    );
    m.classes(
        "51",
        false,
        "subnetSelectorTerms",
        &[json!([{"tags": {"key": ""}}]), json!([{"tags": {"": "v"}}])],
    );
    m.classes(
        "52",
        false,
        "capacityReservationSelectorTerms",
        &[
            json!([{"ownerID": "111122223333"}]),
            json!([{"id": "cr-1"}, {"tags": {"a": "b"}, "ownerID": "abc"}]),
        ],
    );
    m.classes(
        "53",
        false,
        "capacityReservationSelectorTerms",
        &[json!([{"id": "cr-1", "instanceMatchCriteria": "open"}])],
    );
    m.classes(
        "54",
        false,
        "tags",
        &[
            json!({"karpenter.sh/nodepool": "x"}),
            json!({"kubernetes.io/cluster/x": "y"}),
        ],
    );
    done(&m);
}

#[test]
fn rows_55_to_64_devices_and_options() {
    let mut m = matrix();
    let devices = "blockDeviceMappings";
    m.classes(
        "55",
        false,
        devices,
        &[json!([{"rootVolume": true}, {"rootVolume": true}])],
    );
    for size in ["0Gi", "64001G", "65T", "59001Gi", "512Mi"] {
        m.classes("56", false, devices, &[json!([{"ebs": {"volumeSize": size}}])]);
    }
    m.classes("56", true, devices, &[json!([{"ebs": {"volumeSize": "80Gi"}}])]);
    m.classes("57", false, devices, &[json!([{"ebs": {"encrypted": true}}])]);
    for ebs in [
        json!({"snapshotID": "s", "volumeInitializationRate": 99}),
        json!({"snapshotID": "s", "volumeInitializationRate": 301}),
        json!({"volumeSize": "1Gi", "volumeInitializationRate": 100}),
    ] {
        m.classes("58", false, devices, &[json!([{"ebs": ebs}])]);
    }
    m.classes(
        "59",
        false,
        "metadataOptions",
        &[
            json!({"httpPutResponseHopLimit": 0}),
            json!({"httpPutResponseHopLimit": 65}),
            json!({"httpEndpoint": "on"}),
        ],
    );
    let ni = |card: i64, device: i64, kind: &str| json!({"networkCardIndex": card, "deviceIndex": device, "interfaceType": kind});
    let first = ni(0, 0, "interface");
    m.classes(
        "60",
        false,
        "networkInterfaces",
        &[
            json!([ni(0, 1, "interface")]),
            json!([first, first]),
            json!([first, ni(1, 1, "efa-only"), ni(1, 2, "efa-only")]),
        ],
    );
    m.classes(
        "60",
        true,
        "networkInterfaces",
        &[json!([]), json!([first, ni(1, 1, "efa-only")])],
    );
    m.classes(
        "61",
        false,
        "connectionTracking",
        &[
            json!({}),
            json!({"udpTimeout": 61}),
            json!({"tcpEstablishedTimeout": 59}),
        ],
    );
    m.classes("62", true, "kubelet", &[json!({"madeUp": 1})]);
    let profile = class(|s| {
        s["role"] = Value::Null;
        s["instanceProfile"] = json!("p");
    });
    m.verdict("63", "EC2NodeClass", &profile, Some(&class(|_| ())), true);
    m.classes(
        "64",
        false,
        "placementGroupSelector",
        &[json!({"name": "n", "id": "pg-1"}), json!({})],
    );
    done(&m);
}
