//! Names on machines (`aws §26`, numbered there).

use std::sync::Arc;

use super::{Case, keys};
use crate::decide::testing::at;
use crate::model::Delta;
use crate::model::decision::Effect;

const MACHINE: &str = "aws:///zone-a/i-n0";

fn tagging(case: &mut Case, seconds: i64) -> Vec<(String, String)> {
    let out = case.pass(seconds);
    let tags = out.steps.iter().filter_map(|s| match &s.effect {
        Effect::TagInstance { provider_id, tags } => {
            assert_eq!(&**provider_id, MACHINE);
            Some(tags.iter().map(|(k, v)| (k.to_string(), v.to_string())))
        }
        _ => None,
    });
    tags.flatten().collect()
}

#[test]
fn aws_case_100_a_machine_is_tagged_once_its_node_is_known() {
    let mut case = Case::new();
    case.world.machine("n0", "m5.xlarge");
    case.world.instance(MACHINE, -7200, "running");
    case.world.edit_claim("n0", |c| c.node_name = "".into());
    assert_eq!(tagging(&mut case, 0), []);
    case.world.edit_claim("n0", |c| c.node_name = "n0".into());
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    assert_eq!(
        tagging(&mut case, 1),
        own(&[("Name", "n0"), ("karpenter.sh/nodeclaim", "n0")])
    );
    // The cloud's list shows them: not written again.
    let mut instance = (**case.world.snapshot.instances.get(MACHINE).expect("instance")).clone();
    instance.claim = Some("n0".into());
    case.world.apply(Delta::Instance(Arc::new(instance.clone())));
    assert_eq!(tagging(&mut case, 2), []);
    // A claim that is going gets none.
    instance.claim = None;
    let mut case = Case::new();
    case.world.machine("n0", "m5.xlarge");
    case.world.apply(Delta::Instance(Arc::new(instance)));
    case.world.edit_claim("n0", |c| c.deleting = Some(at(0)));
    assert_eq!(tagging(&mut case, 0), []);
    assert!(!keys(&case.pass(1)).iter().any(|k| k.starts_with("tag/")));
}
