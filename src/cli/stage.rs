//! The embedded world as the dashboard's keys reach it.

use std::time::Duration;

use crate::engine::Stage;
use crate::gate::command::WorldEvent;
use crate::world::Embedded;

pub struct WorldStage(pub Embedded);

impl Stage for WorldStage {
    fn play(&self, event: &WorldEvent) -> Result<(), String> {
        match event {
            WorldEvent::NoCapacity {
                instance_type,
                minutes,
            } => {
                let time = Duration::from_secs(60 * u64::from(*minutes));
                self.0.no_capacity(instance_type, time);
                Ok(())
            }
            WorldEvent::Interrupt { node } => self.0.interrupt(node),
            WorldEvent::Burst { pods } => self.0.burst(*pods),
        }
    }
}
