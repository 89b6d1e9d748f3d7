//! Faults at random, the same ones for the same seed: spot machines are taken, machines die, types run out, the
//! cloud refuses calls, watches expire.

use std::time::Duration;

use super::{Embedded, random};

/// Between two faults, in seconds of the world.
const PAUSE: (f64, f64) = (30.0, 150.0);
/// A type that ran out is back after this.
const SHORTAGE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A spot notice; the machine goes two minutes later.
    Spot,
    /// A machine dies without a word.
    Death,
    /// No capacity of a type that is in use, in one zone or in all.
    Shortage,
    /// The next calls of one name are refused.
    Refusal,
    /// Every watch has to list again.
    Compaction,
}

const FAULTS: [Fault; 8] = [
    Fault::Spot,
    Fault::Spot,
    Fault::Shortage,
    Fault::Shortage,
    Fault::Shortage,
    Fault::Refusal,
    Fault::Refusal,
    Fault::Death,
];

/// Never ends.
pub async fn chaos(world: Embedded, seed: u64) {
    for round in 0_u64.. {
        let round = round.to_string();
        let wait = random::between(seed, "chaos-pause", &round, PAUSE.0, PAUSE.1);
        world.clock.sleep(Duration::from_secs_f64(wait)).await;
        let fault = pick(seed, "chaos-fault", &round, &FAULTS).copied();
        // Now and then on top of the others: what it breaks is the reading side.
        if random::draw(seed, "chaos-compaction", &round).is_multiple_of(5) {
            apply(&world, Fault::Compaction, seed, &round);
        }
        if let Some(fault) = fault {
            apply(&world, fault, seed, &round);
        }
    }
}

fn pick<'a, T>(seed: u64, purpose: &str, round: &str, from: &'a [T]) -> Option<&'a T> {
    let count = u64::try_from(from.len()).ok().filter(|n| *n > 0)?;
    from.get(usize::try_from(random::draw(seed, purpose, round) % count).ok()?)
}

fn apply(world: &Embedded, fault: Fault, seed: u64, round: &str) {
    let mut machines: Vec<_> = world
        .ec2
        .instances()
        .into_iter()
        .filter(|i| &*i.state == "running")
        .collect();
    machines.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    match fault {
        Fault::Spot => {
            machines.retain(|i| i.spot_instance_request_id.is_some());
            if let Some(machine) = pick(seed, "chaos-spot", round, &machines) {
                world.ec2.spot_interrupt(&machine.instance_id);
            }
        }
        Fault::Death => {
            if let Some(machine) = pick(seed, "chaos-death", round, &machines) {
                world.ec2.kill(&machine.instance_id);
            }
        }
        Fault::Shortage => {
            if let Some(machine) = pick(seed, "chaos-shortage", round, &machines) {
                world.no_capacity(&machine.instance_type, SHORTAGE);
            }
        }
        Fault::Refusal => {
            let calls = [
                ("CreateFleet", "RequestLimitExceeded"),
                ("TerminateInstances", "InternalError"),
                ("DescribeInstances", "RequestLimitExceeded"),
                ("CreateLaunchTemplate", "InternalError"),
            ];
            if let Some((call, code)) = pick(seed, "chaos-refusal", round, &calls) {
                let times = 1 + u32::try_from(random::draw(seed, "chaos-times", round) % 3).unwrap_or(0);
                world.ec2.refuse(call, code, "refused by --chaos", times);
            }
        }
        Fault::Compaction => world.api.compact(),
    }
    tracing::info!(target: "chaos", ?fault, round);
}
