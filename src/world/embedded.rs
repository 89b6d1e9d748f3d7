//! The embedded world in one piece: API server, EC2, cluster and scenario, started on the current runtime.

use std::sync::Arc;

use jiff::Timestamp;

use super::apiserver::{ApiServer, Config, StateError, StateFile, StatusError};
use super::cluster::{Cluster, ClusterConfig};
use super::ec2::{Ec2, Ec2Config, SinkError, StateSink};
use super::scenario::{Faults, IceOffering, Player, Scenario};
use crate::clock::Clock;
use crate::facts;
use crate::model::CapacityType;

const DEFAULT_CLUSTER: &str = "kerf-demo";
const DEFAULT_REGION: &str = "us-east-1";

/// Table and key of the state file that hold the world's time.
const CLOCK: &str = "clock";
const NOW: &str = "now";
/// A killed process loses no more of the world's time than this.
const KEEP_TIME_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Why a world cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the embedded cluster cannot be furnished: {0}")]
    Furnish(String),
    #[error("scenario {scenario}: {object} is refused: {why}")]
    Manifest {
        scenario: String,
        object: String,
        why: String,
    },
}

impl From<StatusError> for WorldError {
    fn from(error: StatusError) -> Self {
        Self::Furnish(error.message)
    }
}

/// What a world starts from.
#[derive(Debug)]
pub struct EmbeddedConfig {
    pub clock: Clock,
    pub seed: u64,
    /// `None` is an empty cluster: somebody else brings the objects.
    pub scenario: Option<Scenario>,
    /// Where the world survives a restart.
    pub state: Option<StateFile>,
    /// Faults at random, by this seed.
    pub chaos: Option<u64>,
}

/// A running embedded world. Dropping it does not stop its tasks: they end with the runtime.
#[derive(Clone, Debug)]
pub struct Embedded {
    pub api: ApiServer,
    pub ec2: Ec2,
    pub clock: Clock,
    /// Tag `karpenter.sh/discovery` of what the scenario finds in EC2.
    pub cluster_name: String,
    pub region: String,
}

impl Embedded {
    /// Starts everything on the runtime that this is called in, which should be a current-thread one whose clock is
    /// paused. With a state the world goes on where it was: objects, machines and the scenario's position are those
    /// of the last run.
    pub fn start(config: EmbeddedConfig) -> Result<Self, WorldError> {
        let EmbeddedConfig {
            clock,
            seed,
            scenario,
            state,
            chaos,
        } = config;
        let text = |get: fn(&Scenario) -> &String, default: &str| {
            scenario
                .as_ref()
                .map_or_else(|| default.to_owned(), |s| get(s).clone())
        };
        let cluster_name = text(|s| &s.cluster_name, DEFAULT_CLUSTER);
        let region = text(|s| &s.region, DEFAULT_REGION);
        let tuning = scenario.as_ref().map(|s| s.tuning.clone()).unwrap_or_default();

        let api = ApiServer::new(Config {
            clock,
            seed,
            state: state.clone(),
        })?;
        super::cluster::seed(&api)?;

        let mut ec2 = Ec2Config::new(seed, clock, &cluster_name);
        ec2.region = region.as_str().into();
        ec2.boot_scale = tuning.boot_scale;
        ec2.interruptions = tuning.spot_interruptions;
        ec2.spot_depth = tuning.spot_depth;
        ec2.state = state
            .clone()
            .map(|file| Arc::new(Disk(file)) as Arc<dyn StateSink>);
        let kubelet_version = format!("v{}.2-eks-7b6c1f4", ec2.kubernetes_version);
        let ec2 = Ec2::new(ec2).map_err(|error| WorldError::Furnish(error.to_string()))?;
        let machines = ec2.machines();

        let zones = facts::get().regions.get(region.as_str());
        let cluster = Cluster::new(
            api.clone(),
            machines,
            clock,
            ClusterConfig {
                seed,
                image_pull: tuning.image_pull,
                zones: zones.into_iter().flatten().map(|z| z.name.clone()).collect(),
                kubelet_version,
            },
        );
        tokio::spawn(cluster.run());
        tokio::spawn(ec2.clone().run());

        if let Some(scenario) = scenario {
            let name = scenario.name.clone();
            let faults = Arc::new(Cloud(ec2.clone()));
            let player = Player::new(api.clone(), clock, seed, scenario, faults, state.clone())?;
            player.prepare().map_err(|(object, error)| WorldError::Manifest {
                scenario: name,
                object,
                why: error.message,
            })?;
            tokio::spawn(player.run());
        }
        if let Some(state) = state {
            tokio::spawn(keep_time(clock, state));
        }
        let world = Self {
            api,
            ec2,
            clock,
            cluster_name,
            region,
        };
        if let Some(seed) = chaos {
            tokio::spawn(super::chaos::chaos(world.clone(), seed));
        }
        Ok(world)
    }
}

/// The world's time as last kept in a state file: a restart goes on from there.
pub fn kept_time(state: &StateFile) -> Result<Option<Timestamp>, StateError> {
    let rows = state.load(CLOCK)?;
    let kept = rows
        .into_iter()
        .find(|(key, _)| key == NOW)
        .map(|(_, value)| value);
    Ok(kept.and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok()))
}

async fn keep_time(clock: Clock, state: StateFile) {
    loop {
        if let Err(error) = state.put(CLOCK, NOW, clock.now().to_string().as_bytes()) {
            tracing::warn!(%error, "the world's time is not kept");
        }
        clock.sleep(KEEP_TIME_EVERY).await;
    }
}

/// What scenarios do to the embedded EC2.
struct Cloud(Ec2);

impl Faults for Cloud {
    fn spot_interrupt(&self, instance_id: &str) {
        if !self.0.spot_interrupt(instance_id) {
            tracing::debug!(instance_id, "no live spot instance to interrupt");
        }
    }

    fn make_ice(&self, ice: &IceOffering, until: Timestamp) {
        let capacity = if ice.capacity_type == "spot" {
            CapacityType::Spot
        } else {
            CapacityType::OnDemand
        };
        self.0.make_ice(&ice.instance_type, &ice.zone, capacity, until);
    }

    fn release_images(&self, version: &str) {
        self.0.release_images(version);
    }

    fn never_register(&self, until: Timestamp) {
        self.0.never_register(until);
    }

    fn refuse(&self, call: &str, code: &str, times: u32) {
        self.0.refuse(call, code, "refused by the scenario", times);
    }

    fn kill(&self, instance_id: &str) {
        self.0.kill(instance_id);
    }
}

/// EC2's tables beside those of the API server.
#[derive(Debug)]
struct Disk(StateFile);

fn sunk(error: &StateError) -> SinkError {
    SinkError(error.to_string())
}

impl StateSink for Disk {
    fn put(&self, table: &str, key: &str, value: &[u8]) -> Result<(), SinkError> {
        self.0.put(table, key, value).map_err(|e| sunk(&e))
    }

    fn remove(&self, table: &str, key: &str) -> Result<(), SinkError> {
        self.0.remove(table, key).map_err(|e| sunk(&e))
    }

    fn load(&self, table: &str) -> Result<Vec<(String, Vec<u8>)>, SinkError> {
        self.0.load(table).map_err(|e| sunk(&e))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::world::scenario::load;

    fn start(state: Option<StateFile>) -> Embedded {
        let clock = Clock::starting_at("2026-01-05T09:00:00Z".parse().expect("a time"));
        Embedded::start(EmbeddedConfig {
            clock,
            seed: 1,
            scenario: Some(load("inflate").expect("ships")),
            state,
            chaos: None,
        })
        .expect("a world")
    }

    fn waiting(world: &Embedded) -> usize {
        let pods = world.api.list("pods");
        pods.iter()
            .filter(|p| String::from_utf8_lossy(&p.bytes).contains("Unschedulable"))
            .count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_world_starts_without_nodes_and_with_waiting_pods() {
        let world = start(None);
        world.clock.sleep(Duration::from_secs(25)).await;
        assert_eq!(waiting(&world), 20);
        assert!(world.api.list("nodes").is_empty());
        assert_eq!(world.api.list("daemonsets.apps").len(), 3);
        assert_eq!(world.api.list("nodepools.karpenter.sh").len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_world_with_a_state_goes_on() {
        let dir = std::env::temp_dir().join(format!("kerf-embedded-{}", std::process::id()));
        let state = StateFile::open(&dir).expect("a folder");
        let world = start(Some(state.clone()));
        world.clock.sleep(Duration::from_secs(25)).await;
        let names = |world: &Embedded| -> Vec<String> {
            world
                .api
                .list("pods")
                .iter()
                .map(|p| p.name.to_string())
                .collect()
        };
        let before = names(&world);
        assert_eq!(before.len(), 20);
        let again = start(Some(state));
        again.clock.sleep(Duration::from_secs(25)).await;
        assert_eq!(names(&again), before, "nothing is made twice");
        assert_eq!(waiting(&again), 20);
        std::fs::remove_dir_all(dir).expect("removed");
    }
}
