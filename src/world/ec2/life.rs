//! The life of instances in time: pending → running → shutting-down → terminated, spot notices and reclaims.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::account::{Ec2, INSTANCES, State};
use super::kubelet;
use super::machine::{Machine, MachineEvent};
use super::network::Network;
use super::record::{Reclaim, Record};
use crate::clock::after;
use crate::cloud::aws::api::QueueMessage;
use crate::facts;
use crate::model::Name;
use crate::world::random;

/// Between a spot notice and the end.
const NOTICE: Duration = Duration::from_secs(120);
/// Terminated instances are shown for so long.
const SHOWN: Duration = Duration::from_secs(3600);
/// Messages that nobody fetches are dropped beyond so many.
const MOST_MESSAGES: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    Running(Name),
    Rebalance(Name),
    Notice(Name),
    Stop(Name),
    Ended(Name),
    Forget(Name),
}

impl State {
    pub fn schedule(&mut self, at: Timestamp, timer: Timer) {
        self.timers_made += 1;
        self.timers.insert((at, self.timers_made), timer);
    }

    fn emit(&mut self, event: &MachineEvent) {
        self.subscribers.retain(|s| s.send(event.clone()).is_ok());
    }

    pub(super) fn send(
        &mut self,
        detail_type: &str,
        detail: &serde_json::Value,
        at: Timestamp,
        region: &str,
    ) {
        let id = format!("{:016x}", self.timers_made + 1);
        let body = json!({
            "version": "0", "id": id, "detail-type": detail_type, "source": "aws.ec2",
            "time": at.to_string(), "region": region, "detail": detail,
        });
        self.post(body.to_string());
    }

    pub(super) fn post(&mut self, body: String) {
        self.timers_made += 1;
        let receipt = format!("{:016x}", self.timers_made).into();
        self.queue.push_back(QueueMessage { receipt, body });
        if self.queue.len() > MOST_MESSAGES {
            self.queue.pop_front();
        }
    }
}

impl Ec2 {
    /// Carries out what is due and waits for the next, forever. Without it instances change their state all the
    /// same; only nobody is told.
    pub async fn run(self) {
        loop {
            let wait = {
                let mut state = self.lock();
                let now = self.now();
                while let Some(entry) = state.timers.first_entry().filter(|e| e.key().0 <= now) {
                    let ((at, _), timer) = entry.remove_entry();
                    self.fire(&mut state, &timer, at);
                }
                state
                    .timers
                    .first_key_value()
                    .map(|((at, _), _)| Duration::try_from(at.duration_since(now)).unwrap_or_default())
            };
            let rung = self.0.wake.notified();
            match wait {
                // Rung or due: either way there is something to look at.
                Some(wait) => drop(tokio::time::timeout(wait, rung).await),
                None => rung.await,
            }
        }
    }

    fn fire(&self, state: &mut State, timer: &Timer, at: Timestamp) {
        match timer {
            Timer::Running(id) => {
                let Some(record) = state.records.get_mut(id).filter(|r| r.is_live()) else {
                    return;
                };
                record.announced = true;
                let record = record.clone();
                if state.faults.is_mute(at) {
                    return;
                }
                if let Some(machine) = self.machine(&record, &state.network) {
                    state.emit(&MachineEvent::Running(Box::new(machine)));
                }
            }
            Timer::Rebalance(id) => {
                if state.records.get(id).is_some_and(Record::is_live) {
                    let detail = json!({"instance-id": id});
                    let region = &self.0.config.region;
                    state.send("EC2 Instance Rebalance Recommendation", &detail, at, region);
                }
            }
            Timer::Notice(id) => {
                if state.records.get(id).is_some_and(Record::is_live) {
                    self.notice(state, id, at);
                }
            }
            Timer::Stop(id) => self.end(state, id, at),
            Timer::Ended(id) => {
                let Some(record) = state.records.get(id) else {
                    return;
                };
                let (subnet, address) = (
                    record.instance.subnet_id.clone(),
                    record.instance.private_ip_address.clone(),
                );
                state.network.give_back(&subnet, &address);
                state.emit(&MachineEvent::Terminated { id: id.clone() });
                state.schedule(after(at, SHOWN), Timer::Forget(id.clone()));
            }
            Timer::Forget(id) => {
                if let Some(record) = state.records.remove(id) {
                    state.tokens.remove(&record.token);
                    self.forget(INSTANCES, id);
                }
            }
        }
    }

    /// The spot notice: a message now, the end 120 s later.
    pub(super) fn notice(&self, state: &mut State, id: &str, at: Timestamp) {
        let detail = json!({"instance-id": id, "instance-action": "terminate"});
        let region = &self.0.config.region;
        state.send("EC2 Spot Instance Interruption Warning", &detail, at, region);
        let stop = after(at, NOTICE);
        if let Some(record) = state.records.get_mut(id) {
            record.reclaim = Some(Reclaim {
                rebalance: None,
                notice: at,
                stop,
            });
            self.save(INSTANCES, id, record);
        }
        state.schedule(stop, Timer::Stop(id.into()));
        self.0.wake.notify_one();
    }

    /// Starts the end of an instance; one that is ending already is left alone.
    pub(super) fn end(&self, state: &mut State, id: &str, at: Timestamp) {
        let config = &self.0.config;
        let Some(record) = state.records.get_mut(id).filter(|r| r.is_live()) else {
            return;
        };
        let (low, high) = config.shutting_down;
        let takes = random::between(
            config.seed,
            "shutting-down",
            id,
            low.as_secs_f64(),
            high.as_secs_f64(),
        );
        let ended = after(at, Duration::from_secs_f64(takes.max(0.0)));
        record.ending_at = Some(at);
        record.ended_at = Some(ended);
        self.save(INSTANCES, id, record);
        let pool = (
            record.instance.instance_type.clone(),
            record.instance.availability_zone.clone(),
        );
        if record.is_spot()
            && let Some(n) = state.spot_in_use.get_mut(&pool)
        {
            *n -= 1;
        }
        state.emit(&MachineEvent::ShuttingDown { id: id.into() });
        let detail = json!({"instance-id": id, "state": "shutting-down"});
        state.send(
            "EC2 Instance State-change Notification",
            &detail,
            at,
            &config.region,
        );
        state.schedule(ended, Timer::Ended(id.into()));
        self.0.wake.notify_one();
    }

    /// Takes a new instance in: counts it and sets its timers.
    pub(super) fn begin(&self, state: &mut State, record: Record) {
        let id = record.instance.instance_id.clone();
        self.save(INSTANCES, &id, &record);
        state.schedule(record.running_at, Timer::Running(id.clone()));
        enlist(state, record);
        self.0.wake.notify_one();
    }

    /// An instance of the state file. What should have happened while nobody ran happens now.
    pub(super) fn restore(&self, mut record: Record, now: Timestamp) {
        let mut state = self.lock();
        let i = &record.instance;
        let id = i.instance_id.clone();
        match record.ended_at {
            Some(at) => state.schedule(at.max(now), Timer::Ended(id.clone())),
            None if record.running_at > now => state.schedule(record.running_at, Timer::Running(id.clone())),
            None => record.announced = true,
        }
        if record.ended_at.is_none_or(|at| at > now) {
            state.network.claim(&i.subnet_id, &i.private_ip_address);
        }
        if record.is_live()
            && let Some(reclaim) = record.reclaim.filter(|r| r.notice <= now)
        {
            // The notice was given; only the end is still to come.
            state.schedule(reclaim.stop.max(now), Timer::Stop(id));
            record.reclaim = None;
        }
        enlist(&mut state, record);
    }

    /// What the kubelet of an instance finds; `None` for a type that the facts do not know.
    pub(super) fn machine(&self, record: &Record, network: &Network) -> Option<Machine> {
        let config = &self.0.config;
        let i = &record.instance;
        let t = facts::get().find(&i.instance_type)?;
        let (capacity, allocatable) = kubelet::amounts(config.seed, &i.instance_id, t, &record.data);
        let drawn = |purpose: &str, (low, high): (Duration, Duration)| {
            let seconds = random::between(
                config.seed,
                purpose,
                &i.instance_id,
                low.as_secs_f64(),
                high.as_secs_f64(),
            );
            Duration::from_secs_f64((seconds * config.boot_scale).max(0.0))
        };
        Some(Machine {
            id: i.instance_id.clone(),
            provider_id: format!("aws:///{}/{}", i.availability_zone, i.instance_id).into(),
            private_dns: i.private_dns_name.clone(),
            private_ip: i.private_ip_address.clone(),
            instance_type: i.instance_type.clone(),
            zone: i.availability_zone.clone(),
            zone_id: network.zone_id(&i.availability_zone).cloned().unwrap_or_default(),
            region: config.region.clone(),
            arch: t
                .arch
                .iter()
                .find(|a| matches!(&***a, "amd64" | "arm64"))?
                .clone(),
            image_id: i.image_id.clone(),
            user_data: record.data.user_data.clone(),
            capacity,
            allocatable,
            register_after: drawn("register", config.register_after),
            ready_after: drawn("ready", config.ready_after),
        })
    }
}

/// Counters and the timers of reclaims, for new and restored instances.
fn enlist(state: &mut State, record: Record) {
    let i = &record.instance;
    let id = i.instance_id.clone();
    if record.is_spot() && record.is_live() {
        let pool = (i.instance_type.clone(), i.availability_zone.clone());
        *state.spot_in_use.entry(pool).or_default() += 1;
    }
    if let Some(reclaim) = record.reclaim.filter(|_| record.is_live()) {
        if let Some(at) = reclaim.rebalance {
            state.schedule(at, Timer::Rebalance(id.clone()));
        }
        state.schedule(reclaim.notice, Timer::Notice(id.clone()));
    }
    state
        .tokens
        .entry(record.token.clone())
        .or_default()
        .push(id.clone());
    state.records.insert(id, record);
}
