//! Cases 138 to 140 and item 72.

use super::*;
use crate::decide::scheduling::tests::support::*;
use crate::model::PodTemplate;
use crate::model::workload::Scalable;

fn buffer(change: impl FnOnce(&mut Buffer)) -> Buffer {
    let mut out = Buffer {
        namespace: "default".into(),
        name: "b".into(),
        uid: "uid-b".into(),
        generation: 1,
        created: now(),
        strategy: "".into(),
        template: Some("chunk".into()),
        scalable: None,
        replicas: None,
        percentage: None,
        limits: BTreeMap::new(),
        conditions: crate::model::Conditions::new(),
        status_replicas: None,
    };
    change(&mut out);
    out
}

fn world(change: impl FnOnce(&mut Buffer)) -> World {
    let mut w = World::new();
    w.settings.capacity_buffer = true;
    let template = PodTemplate {
        namespace: "default".into(),
        name: "chunk".into(),
        generation: 3,
        labels: Arc::new(labels(&[("app", "chunk")])),
        spec: Arc::new(PodSpec {
            requests: resources(1000, GI),
            volume_claims: vec!["data".into()],
            ..PodSpec::default()
        }),
    };
    w.snapshot.deployments.insert(
        "default/web".into(),
        Arc::new(Workload {
            namespace: "default".into(),
            name: "web".into(),
            replicas: 10,
            selector: None,
            template: template.clone(),
        }),
    );
    w.snapshot
        .pod_templates
        .insert("default/chunk".into(), Arc::new(template));
    w.snapshot
        .buffers
        .insert("default/b".into(), Arc::new(buffer(change)));
    w
}

fn size(w: &World) -> Result<i64, &'static str> {
    resolve(&w.snapshot, &w.snapshot.buffers["default/b"])
        .map(|r| r.replicas)
        .map_err(|(reason, _)| reason)
}

fn of_web(b: &mut Buffer) {
    b.template = None;
    b.scalable = Some(Scalable {
        group: "apps".into(),
        kind: "Deployment".into(),
        name: "web".into(),
    });
}

#[test]
fn case_138_sizes() {
    let limited = world(|b| {
        b.replicas = Some(10);
        b.limits.insert("cpu".into(), 3000);
    });
    assert_eq!(size(&limited), Ok(3));
    let share = |replicas, percent| {
        world(|b| {
            of_web(b);
            b.replicas = replicas;
            b.percentage = Some(percent);
        })
    };
    assert_eq!(size(&share(Some(5), 80)), Ok(8));
    assert_eq!(size(&share(None, 1)), Ok(1));
    assert_eq!(size(&share(None, 0)), Ok(0));
    assert_eq!(size(&share(Some(9), 80)), Ok(9));
    // Limits alone are a size; limits of other resources are none.
    assert_eq!(
        size(&world(|b| {
            b.limits.insert("cpu".into(), 2500);
        })),
        Ok(2)
    );
    assert_eq!(
        size(&world(|b| {
            b.limits.insert("gpu".into(), 2500);
        })),
        Ok(0)
    );
    assert_eq!(size(&world(|_| {})), Ok(0));
}

#[test]
fn item_72_what_cannot_be_resolved_says_why() {
    assert_eq!(
        size(&world(|b| b.template = Some("other".into()))),
        Err("PodTemplateNotFound")
    );
    assert_eq!(
        size(&world(|b| {
            of_web(b);
            b.scalable.as_mut().expect("set").name = "other".into();
        })),
        Err("ScalableRefNotFound")
    );
    assert_eq!(size(&world(|b| b.template = None)), Err("ResolutionFailed"));
    assert_eq!(
        size(&world(|b| {
            of_web(b);
            b.scalable.as_mut().expect("set").kind = "Job".into();
        })),
        Err("ResolutionFailed")
    );
}

fn plan(w: &World) -> (Snapshot, crate::decide::scheduling::Solution) {
    let snapshot = with_virtual(&w.snapshot, &w.settings);
    let with = World {
        snapshot: snapshot.clone(),
        settings: w.settings.clone(),
    };
    let solution = with.plan();
    (snapshot, solution)
}

#[test]
fn case_139_room_that_is_there_is_enough_until_pods_take_it() {
    let mut w = world(|b| b.replicas = Some(2));
    w.node("n1", "z1", 4000, |_, _| {});
    let (snapshot, solution) = plan(&w);
    let room = rooms(&snapshot, &solution)["default/b"];
    assert_eq!((room.existing, room.new, room.failed), (2, 0, 0));
    assert!(holders(&snapshot, &solution).contains("n1"));
    w.bound("real", "n1", |s| s.requests = resources(3000, GI));
    let (snapshot, solution) = plan(&w);
    let room = rooms(&snapshot, &solution)["default/b"];
    assert_eq!((room.existing, room.new), (1, 1));
    // Item 82: nothing of them is left in what is proposed.
    let mut told = solution.clone();
    without_virtual(&snapshot, &mut told);
    assert_eq!((told.claims.len(), told.claims[0].draft.pods.len()), (1, 0));
    assert!(told.existing.is_empty());
    assert_eq!(told.claims[0].evidence.pods.len(), 1);
}

#[test]
fn case_140_volumes_are_left_out() {
    let w = world(|b| b.replicas = Some(1));
    let (snapshot, solution) = plan(&w);
    let room = rooms(&snapshot, &solution)["default/b"];
    assert_eq!((room.new, room.failed), (1, 0));
    let pod = &snapshot.pods["default/capacity-buffer-b-1"];
    assert_eq!((&*pod.uid, pod.spec.priority), ("uid-b-1", i32::MIN));
}

#[test]
fn item_72_without_the_gate_there_are_no_virtual_pods() {
    let mut w = world(|b| b.replicas = Some(2));
    w.settings.capacity_buffer = false;
    assert!(with_virtual(&w.snapshot, &w.settings).pods.is_empty());
}
