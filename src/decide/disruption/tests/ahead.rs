//! What budgets will allow, and what edits would make drift.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::fleet;
use crate::api::names;
use crate::decide::disruption::budgets::{UNLIMITED, binding};
use crate::decide::disruption::{preview, timeline};
use crate::decide::testing::{World, at, budget};
use crate::model::nodepool::Budget;
use crate::model::{NodePool, Requirement, UsdPerHour};

fn window(nodes: &str, schedule: &str, hours: u64, reasons: Option<&[&str]>) -> Budget {
    Budget {
        schedule: Some(schedule.into()),
        duration: Some(Duration::from_secs(hours * 3600)),
        reasons: reasons.map(|r| r.iter().map(|r| (*r).into()).collect()),
        ..budget(nodes)
    }
}

fn pool(budgets: Vec<Budget>) -> NodePool {
    let mut world = World::new();
    world.edit_pool("default", |p| p.disruption.budgets = budgets);
    (**world.snapshot.pools.get("default").expect("pool")).clone()
}

/// Every minute of three days, asked by hand.
#[test]
fn the_timeline_agrees_with_every_minute() {
    let pools = [
        pool(vec![budget("10%")]),
        pool(vec![]),
        pool(vec![
            budget("30%"),
            window("0", "30 6 * * mon-fri", 5, None),
            window("2", "@daily", 2, Some(&["Drifted"])),
            window("1", "15,45 */3 * * *", 1, Some(&["Empty", "Underutilized"])),
        ]),
        pool(vec![window("0", "@daily", 48, None)]),
        pool(vec![budget("50%"), window("1", "0 0 * * 7", 4, Some(&["Empty"]))]),
        pool(vec![window("3", "* * * * *", 1, None), budget("abc")]),
    ];
    // A schedule that never hits closes nothing.
    let never = pool(vec![budget("50%"), window("1", "0 0 31 2 *", 4, None)]);
    let spans = timeline(&never, 14, at(17), SignedDuration::from_hours(72));
    assert_eq!(spans.iter().map(|s| s.allowed).collect::<Vec<_>>(), [Some(7); 3]);
    for pool in &pools {
        let spans = timeline(pool, 14, at(17), SignedDuration::from_hours(72));
        for reason in ["Empty", "Drifted", "Underutilized"] {
            let mine: Vec<_> = spans.iter().filter(|s| *s.reason == *reason).collect();
            assert_eq!(mine.first().map(|s| s.from), Some(at(17)));
            assert_eq!(mine.last().map(|s| s.until), Some(at(17 + 72 * 3600)));
            let joined = mine.windows(2).all(|w| w[0].until == w[1].from);
            assert!(joined, "no gap and no overlap");
            for minute in 0..72 * 60 {
                let now = at(17 + minute * 60);
                let span = mine
                    .iter()
                    .find(|s| s.from <= now && now < s.until)
                    .expect("a span");
                let (allowed, budget) = binding(pool, reason, 14, now);
                let want = (allowed != UNLIMITED).then_some(allowed);
                assert_eq!((span.allowed, span.budget), (want, budget), "{reason} {now}");
            }
        }
    }
}

#[test]
fn edited_manifests_are_compared() {
    let mut world = fleet(2, "m5.large");
    world.machine("big", "m5.2xlarge");
    world.pod("a", Some("n0"), 500, |_| {});
    let row = |world: &World| (**world.snapshot.pools.get("default").expect("pool")).clone();
    // A behaviour: nothing.
    let mut weighted = row(&world);
    weighted.weight = 9;
    assert!(preview(&world.snapshot, &[Arc::new(weighted)], &[], at(0)).is_empty());
    // A requirement that one node does not meet.
    let mut narrowed = row(&world);
    let large = Requirement::is_in(names::INSTANCE_TYPE, ["m5.large"]);
    narrowed.template.requirements.0.insert(large.key.clone(), large);
    let found = preview(&world.snapshot, &[Arc::new(narrowed)], &[], at(0));
    let [one] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (&*one.node, &*one.reason, &*one.field),
        ("big", "RequirementsDrifted", names::INSTANCE_TYPE)
    );
    assert_eq!((one.pods, one.price_per_hour), (0, UsdPerHour::from_f64(0.384)));
    // A label: everything, with its field, pods and dollars.
    let mut labelled = row(&world);
    labelled.template.labels.insert("team".into(), "x".into());
    labelled.hash = "8".into();
    let found = preview(&world.snapshot, &[Arc::new(labelled)], &[], at(0));
    assert_eq!(found.len(), 3);
    assert!(
        found
            .iter()
            .all(|d| &*d.field == "spec.template.metadata.labels[team]" && d.certain)
    );
    assert_eq!(found.iter().map(|d| d.pods).sum::<usize>(), 1);
    assert_eq!(found[0].allowed_now, Some(3));
    // A class whose image selector changed: only the account can tell.
    let mut class = (**world.snapshot.classes.get("default").expect("class")).clone();
    let mut spec = (*class.spec).clone();
    spec.ami_selector_terms
        .push(crate::api::ec2nodeclass::AmiTerm::default());
    class.spec = Arc::new(spec);
    let found = preview(&world.snapshot, &[], &[Arc::new(class)], at(0));
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|d| &*d.reason == "AMIDrift" && !d.certain));
}
