//! An embedded world, and runs that stand on it as on a cluster and an account.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::act::Writer;
use crate::act::lease::LeaseName;
use crate::api::names::{LEASE, SUPERVISION_NAMESPACE};
use crate::cli::run::stage::{Election, Ground, Orders, live};
use crate::clock::Clock;
use crate::cloud::aws;
use crate::engine::handle::pair;
use crate::engine::{Ended, Handle};
use crate::gate::{Mode, Policies, Supervision};
use crate::ledger::book::Listener;
use crate::observe::{Objects, read_only};
use crate::world::scenario::load;
use crate::world::{Embedded, EmbeddedConfig};

pub fn world() -> Embedded {
    let clock = Clock::starting_at("2026-01-05T09:00:00Z".parse().expect("a time"));
    let mut scenario = load("inflate").expect("ships");
    scenario.steps.clear();
    Embedded::start(EmbeddedConfig {
        clock,
        seed: 1,
        scenario: Some(scenario),
        state: None,
        chaos: None,
    })
    .expect("a world")
}

/// One process, as far as the cluster can tell.
pub struct Process {
    pub handle: Handle,
    pub engine: JoinHandle<Ended>,
    elector: Rc<std::cell::Cell<Option<JoinHandle<()>>>>,
}

impl Process {
    /// Everything stops at once, as when a machine loses power.
    pub fn kill(&self) {
        self.engine.abort();
        self.kill_elector();
    }

    /// The engine lives on and nobody renews its lease.
    pub fn kill_elector(&self) {
        if let Some(task) = self.elector.take() {
            task.abort();
        }
    }
}

pub fn lease() -> LeaseName {
    LeaseName {
        namespace: SUPERVISION_NAMESPACE.into(),
        name: LEASE.into(),
    }
}

/// Starts a run; its requests carry names that begin with `who`.
pub fn start(world: &Embedded, who: &str, mode: Mode, elected: bool) -> Process {
    start_told(world, who, mode, elected, None)
}

/// The same, with somebody who is told of every entry.
pub fn start_told(
    world: &Embedded,
    who: &str,
    mode: Mode,
    elected: bool,
    listener: Option<Listener>,
) -> Process {
    let mut settings = aws::Settings::new(&world.cluster_name, &world.region);
    settings.cluster_cidr = "10.100.0.0/16".into();
    settings.dns_ip = "10.100.0.10".into();
    settings.cluster_endpoint = "https://cluster.example".into();
    settings.cluster_ca = "a2VyZg==".into();
    let ec2 = Arc::new(world.ec2.clone());
    let (handle, desk) = pair();
    let elector = Rc::new(std::cell::Cell::new(None));
    let election = elected.then(|| {
        let (api, name, task) = (world.api.clone(), format!("{who}-elector"), elector.clone());
        Election {
            lease: lease(),
            me: who.into(),
            start: Box::new(move |campaign| {
                let client = api.client(&name);
                let look = Objects::new(read_only(client.clone()));
                let elector = campaign.elector(look, Box::new(move || Writer::new(client.clone())));
                task.set(Some(tokio::spawn(elector.run())));
            }),
        }
    });
    let (api, writer) = (world.api.clone(), format!("{who}-writer"));
    let ground = Ground {
        clock: world.clock,
        reader: read_only(world.api.client(&format!("{who}-reader"))),
        writer: Rc::new(move || Writer::new(api.client(&writer))),
        ec2: ec2.clone(),
        iam: (mode != Mode::Observe).then(|| ec2.clone() as Arc<dyn aws::api::Iam>),
        ec2_write: (mode != Mode::Observe).then(|| ec2.clone() as Arc<dyn aws::api::Ec2Write>),
        queue: Some(ec2),
        aws: settings,
    };
    let orders = Orders {
        supervision: Supervision {
            policies: Policies {
                mode,
                ..Policies::default()
            },
            ..Supervision::default()
        },
        settings: crate::decide::Settings::default(),
        source: "test".into(),
        recorder: None,
        recording: None,
        election,
        watched: false,
    };
    let engine = tokio::task::spawn_local(live(ground, orders, desk, listener));
    Process {
        handle,
        engine,
        elector,
    }
}

pub fn scale(world: &Embedded, replicas: u32) {
    world
        .api
        .update("deployments.apps", "default", "inflate", &mut |d| {
            d["spec"]["replicas"] = serde_json::json!(replicas);
        })
        .expect("scaled");
}

pub fn running(world: &Embedded) -> usize {
    let pods = world.api.list("pods");
    pods.iter()
        .filter(|p| &*p.namespace == "default" && p.value()["status"]["phase"] == "Running")
        .count()
}

pub fn machines(world: &Embedded) -> usize {
    let dead = ["shutting-down", "terminated"];
    world
        .ec2
        .instances()
        .iter()
        .filter(|i| !dead.contains(&&*i.state))
        .count()
}

/// Writing requests of clients whose name begins so.
pub fn writes(world: &Embedded, who: &str) -> u64 {
    let of = |(name, n): (String, u64)| name.starts_with(who).then_some(n);
    world.api.writes().into_iter().filter_map(of).sum()
}

/// Waits in simulated time; `false` when it takes longer than `minutes`.
pub async fn until(world: &Embedded, minutes: u64, done: impl Fn() -> bool) -> bool {
    for _ in 0..minutes * 60 {
        if done() {
            return true;
        }
        world.clock.sleep(Duration::from_secs(1)).await;
    }
    done()
}

pub async fn pass(world: &Embedded, seconds: u64) {
    world.clock.sleep(Duration::from_secs(seconds)).await;
}

/// Runs a story on a thread with a paused clock.
pub fn story(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, work);
}
