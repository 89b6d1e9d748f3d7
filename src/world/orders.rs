//! What a person can make happen in a running world, beside what its scenario plays.

use std::time::Duration;

use serde_json::{Value, json};

use super::Embedded;
use crate::clock::after;
use crate::model::CapacityType;

/// How long the pods of a burst run.
const BURST_RUNS: &str = "10m";

impl Embedded {
    /// A spot interruption notice for the machine of a node.
    ///
    /// # Errors
    /// When there is no such node, or its machine is not a live spot one.
    pub fn interrupt(&self, node: &str) -> Result<(), String> {
        let short = node.split('.').next().unwrap_or(node);
        let found = self
            .api
            .get("nodes", "", node)
            .ok_or_else(|| format!("node {short} is gone"))?
            .value();
        let id = found["spec"]["providerID"]
            .as_str()
            .and_then(|id| id.rsplit('/').next());
        if id.is_some_and(|id| self.ec2.spot_interrupt(id)) {
            Ok(())
        } else {
            Err(format!("{short} is no spot node: only those are interrupted"))
        }
    }

    /// No capacity of a type, in any zone and market, for a while.
    pub fn no_capacity(&self, instance_type: &str, time: Duration) {
        let until = after(self.clock.now(), time);
        for market in [CapacityType::OnDemand, CapacityType::Spot] {
            self.ec2.make_ice(instance_type, "*", market, until);
        }
    }

    /// A Job of so many pods, 1 CPU and 2 GiB each, that end after ten minutes.
    ///
    /// # Errors
    /// What the API server answers.
    pub fn burst(&self, pods: u32) -> Result<(), String> {
        let taken = |n: &u32| {
            self.api
                .get("jobs.batch", "default", &format!("burst-{n}"))
                .is_some()
        };
        let name = format!("burst-{}", (1..=u32::MAX).find(|n| !taken(n)).unwrap_or(u32::MAX));
        self.api
            .create("jobs.batch", "default", burst(&name, pods))
            .map(drop)
            .map_err(|e| e.message)
    }
}

fn burst(name: &str, pods: u32) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "parallelism": pods, "completions": pods, "ttlSecondsAfterFinished": 60,
            "template": {
                "metadata": {"labels": {"app": "burst"}, "annotations": {"kerf.dev/run-for": BURST_RUNS}},
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{
                        "name": "work", "image": "registry.k8s.io/pause:3.10",
                        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
                    }],
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::world::EmbeddedConfig;

    #[tokio::test(start_paused = true)]
    async fn bursts_have_names_of_their_own_and_nodes_that_are_gone_are_said() {
        let world = Embedded::start(EmbeddedConfig {
            clock: Clock::starting_at("2026-01-05T09:00:00Z".parse().expect("a time")),
            seed: 1,
            scenario: None,
            state: None,
            chaos: None,
        })
        .expect("a world");
        world.burst(3).expect("created");
        world.burst(3).expect("created");
        world.clock.sleep(Duration::from_secs(5)).await;
        assert_eq!(world.api.list("pods").len(), 6);
        assert!(world.api.get("jobs.batch", "default", "burst-2").is_some());
        assert_eq!(
            world.interrupt("ip-10-0-0-1.ec2.internal"),
            Err("node ip-10-0-0-1 is gone".to_owned())
        );
    }
}
