use std::io::Write;

use super::*;

const BOTH: &str = r#"[
    {"name":"c-2x-amd64-linux","architecture":"amd64","operatingSystems":["linux"],
     "resources":{"cpu":"2","memory":"4Gi","pods":"32"},
     "offerings":[{"capacityType":"spot","zone":"test-zone-a","price":0.05}]},
    {"name":"b","architecture":"arm64","operatingSystems":["linux"],
     "resources":{"cpu":4,"memory":"8Gi","pods":"10"},"overhead":{"cpu":"100m"},
     "requirements":[{"key":"gpu","operator":"DoesNotExist"},
        {"key":"kubernetes.io/arch","operator":"In","values":["amd64"]}],
     "offerings":[{"Price":0.1,"Available":false,"Requirements":[
        {"key":"karpenter.sh/capacity-type","operator":"In","values":["on-demand"]},
        {"key":"topology.kubernetes.io/zone","operator":"In","values":["z"]}]}]}]"#;

fn read(text: &str) -> Catalogue {
    parse("types.json", text.as_bytes()).expect("a good file")
}

#[test]
fn both_forms_are_read() {
    let catalogue = read(BOTH);
    let b = catalogue.get("b").expect("there");
    assert_eq!(b.allocatable().cpu, 3900);
    assert!(!b.offerings[0].available);
    assert_eq!(
        b.requirements.get(names::ARCH),
        Some(&Requirement::is_in(names::ARCH, ["amd64"]))
    );
    let a = catalogue.get("c-2x-amd64-linux").expect("there");
    assert_eq!(&*a.offerings[0].zone, "test-zone-a");
    assert_eq!(a.offerings[0].price, UsdPerHour::from_f64(0.05));
}

#[test]
fn gzip_is_seen_by_its_first_bytes() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(BOTH.as_bytes()).expect("memory");
    let bytes = packed.finish().expect("memory");
    assert_eq!(parse("t", &bytes).expect("good"), read(BOTH));
}

#[test]
fn reserved_offerings_get_a_price_and_an_id_and_the_others_say_that_they_have_none() {
    let text = r#"[{"name":"a","resources":{"cpu":"2"},"offerings":[
        {"capacityType":"on-demand","zone":"z1","price":0.2},
        {"capacityType":"reserved","zone":"z1","reservationCapacity":3}]},
        {"name":"b","resources":{"cpu":"2"},"offerings":[{"capacityType":"spot","zone":"z1","price":0.1}]}]"#;
    let catalogue = read(text);
    let a = catalogue.get("a").expect("there");
    assert_eq!(a.offerings[1].price, UsdPerHour::from_f64(0.2).reserved());
    assert_eq!(a.offerings[1].reservation().map(|r| &**r), Some("a-z1"));
    assert_eq!(a.offerings[1].reservation_capacity, 3);
    let none = Requirement::new::<Name>(names::RESERVATION_ID, Operator::DoesNotExist, []);
    assert_eq!(
        a.offerings[0].requirements.get(names::RESERVATION_ID),
        Some(&none)
    );
    let b = catalogue.get("b").expect("there");
    assert_eq!(b.requirements.get(names::RESERVATION_ID), Some(&none));
}

#[test]
fn item_40_offerings_with_overrides_are_rows_of_their_own() {
    let text = r#"[{"name":"a","resources":{"cpu":"2","memory":"4Gi"},"overhead":{"memory":"1Gi"},"offerings":[
        {"capacityType":"on-demand","zone":"z1","price":0.2,"capacityOverride":{"memory":"8Gi"}},
        {"capacityType":"on-demand","zone":"z2","price":0.1},
        {"capacityType":"on-demand","zone":"z3","price":0.1,"overheadOverride":{"memory":"2Gi"}}]}]"#;
    let catalogue = read(text);
    assert_eq!(catalogue.len(), 1);
    let memory: Vec<i64> = catalogue
        .types()
        .iter()
        .map(|t| t.allocatable().memory >> 30)
        .collect();
    // The base group comes first.
    assert_eq!(memory[0], 3);
    assert_eq!(memory.iter().collect::<BTreeSet<_>>(), [2, 3, 7].iter().collect());
    assert_eq!(catalogue.get("a").expect("there").offerings.len(), 3);
    assert_eq!(catalogue.positions("a").count(), 3);
    let again: Vec<Arc<InstanceType>> = catalogue.clone().into();
    assert_eq!(Catalogue::from(again), catalogue);
}

#[test]
fn mistakes_say_where_and_what() {
    let offering = |o: &str| format!(r#"[{{"name":"x","resources":{{"cpu":"2"}},"offerings":[{o}]}}]"#);
    for (text, place, what) in [
        (
            r#"[{"name":"x","resources":{"cpu":"two"}}]"#.to_owned(),
            "x, resources.cpu",
            "not a quantity",
        ),
        (
            r#"[{"name":"x","resources":{"cpu":"-2"}}]"#.to_owned(),
            "x, resources.cpu",
            "negative",
        ),
        (r#"{"name":"x"}"#.to_owned(), "a JSON list", "invalid type"),
        (
            r#"[{"resources":{}}]"#.to_owned(),
            "instance type 1",
            "missing field `name`",
        ),
        (
            r#"[{"name":"x","resources":{}},{"name":"x","resources":{}}]"#.to_owned(),
            "x",
            "twice",
        ),
        (
            r#"[{"name":"x","resources":{},"requirements":[{"key":"a","operator":"Exists"}]}]"#.to_owned(),
            "x, requirements[0].operator",
            "In, DoesNotExist",
        ),
        (
            offering(r#"{"capacityType":"sport","zone":"z","price":1}"#),
            "x, offerings[0]",
            "did you mean \"spot\"",
        ),
        (
            offering(r#"{"capacityType":"spot","price":1}"#),
            "x, offerings[0]",
            names::ZONE,
        ),
        (
            offering(r#"{"capacityType":"spot","zone":"z"}"#),
            "x, offerings[0].price",
            "missing",
        ),
        (
            offering(r#"{"capacityType":"spot","zone":"z","price":-1}"#),
            "x, offerings[0].price",
            "0 or more",
        ),
        (
            offering(r#"{"capacityType":"reserved","zone":"z","price":1}"#),
            "x, offerings[0].reservationCapacity",
            "free",
        ),
    ] {
        let why = parse("types.json", text.as_bytes()).expect_err(&text).to_string();
        assert!(
            why.starts_with("types.json, ") && why.contains(place) && why.contains(what),
            "{text}: {why}"
        );
    }
}
