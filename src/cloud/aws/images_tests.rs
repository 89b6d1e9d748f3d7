use jiff::SignedDuration;

use super::*;
use crate::cloud::aws::api::Tags;

fn now() -> Timestamp {
    Timestamp::from_second(1_767_603_600).expect("time")
}

fn image(id: &str, name: &str, age_days: i64, deprecated: bool) -> Found {
    let ago = |days: i64| {
        now()
            .checked_sub(SignedDuration::from_hours(24 * days))
            .expect("time")
    };
    Found {
        image: Image {
            image_id: id.into(),
            name: name.into(),
            architecture: "x86_64".into(),
            owner_id: "1".into(),
            creation_date: ago(age_days),
            deprecation_time: deprecated.then(|| ago(1)),
            tags: Tags::new(),
        },
        variant: Variant::Any,
    }
}

fn best(found: Vec<Found>) -> String {
    choose(found, now())[0].id.to_string()
}

/// `aws §26` case 6.
#[test]
fn case_6_unsupported_aliases() {
    assert!(alias_unsupported("al2", "1.33"));
    assert!(alias_unsupported("al2", "1.34"));
    assert!(!alias_unsupported("al2", "1.32"));
    assert!(alias_unsupported("windows2025", "1.34"));
    assert!(!alias_unsupported("windows2025", "1.35"));
    assert!(!alias_unsupported("al2023", "1.34"));
}

/// `aws §26` case 8.
#[test]
fn case_8_owners_of_terms() {
    let term = |f: &dyn Fn(&mut AmiTerm)| {
        let mut out = AmiTerm::default();
        f(&mut out);
        out
    };
    let by_name = term(&|t| t.name = Some("my-*".into()));
    let by_tag = term(&|t| drop(t.tags.insert("team".into(), "*".into())));
    let by_id = term(&|t| t.id = Some("ami-1".into()));
    let calls = queries(&[by_name, by_tag, by_id], &["ami-2".into()]);
    let state = Filter::new("state", ["available"]);
    assert_eq!(
        calls,
        [
            ImageQuery {
                owners: Vec::new(),
                filters: vec![Filter::new("image-id", ["ami-2", "ami-1"]), state.clone()],
            },
            ImageQuery {
                owners: vec!["self".into(), "amazon".into()],
                filters: vec![Filter::new("name", ["my-*"]), state.clone()],
            },
            ImageQuery {
                owners: Vec::new(),
                filters: vec![Filter::new("tag-key", ["team"]), state],
            },
        ]
    );
}

/// `aws §26` cases 9 and 10.
#[test]
fn cases_9_and_10_which_image_is_kept() {
    assert_eq!(
        best(vec![image("old", "a", 90, false), image("new", "b", 10, true)]),
        "old"
    );
    assert_eq!(
        best(vec![image("old", "a", 90, true), image("new", "b", 10, true)]),
        "new"
    );
    assert_eq!(
        best(vec![image("x", "b", 10, false), image("y", "a", 10, false)]),
        "x"
    );
}

#[test]
fn alias_paths() {
    let latest = alias_parameters("al2023", "latest", "1.34");
    assert_eq!(latest.len(), 5);
    assert_eq!(
        latest[0].0,
        "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id"
    );
    let pinned = alias_parameters("al2023", "v20260710", "1.34");
    assert_eq!(
        pinned[3].0,
        "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/\
         amazon-eks-node-al2023-arm64-standard-1.34-v20260710/image_id"
    );
    let bottlerocket = alias_parameters("bottlerocket", "v1.45.0", "1.34");
    assert_eq!(
        bottlerocket[3].0,
        "/aws/service/bottlerocket/aws-k8s-1.34-nvidia/x86_64/1.45.0/image_id"
    );
    assert!(alias_parameters("ubuntu", "latest", "1.34").is_empty());
}
