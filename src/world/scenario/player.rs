//! Plays a scenario: manifests at the start, steps by the world's clock.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::position::Position;
use super::{Action, IceOffering, Machines, Scenario, Target};
use crate::api::names;
use crate::clock::{Clock, after};
use crate::world::apiserver::{ApiServer, DeleteOptions, StateError, StateFile, StatusError, patch};
use crate::world::random;

/// What a scenario can do to the cloud.
pub trait Faults: Send + Sync {
    /// A spot interruption notice for an instance.
    fn spot_interrupt(&self, instance_id: &str);
    /// No capacity for this offering until then.
    fn make_ice(&self, ice: &IceOffering, until: Timestamp);
    /// Newer images are there from now on.
    fn release_images(&self, version: &str);
    /// Machines that start running before then never become nodes.
    fn never_register(&self, until: Timestamp);
    /// The next calls of that name are refused.
    fn refuse(&self, call: &str, code: &str, times: u32);
    /// An instance dies by itself.
    fn kill(&self, instance_id: &str);
}

/// A scenario under way.
pub struct Player {
    api: ApiServer,
    clock: Clock,
    seed: u64,
    scenario: Scenario,
    faults: Arc<dyn Faults>,
    state: Option<StateFile>,
    position: Position,
}

impl Player {
    /// Goes on where the state says, or starts.
    pub fn new(
        api: ApiServer,
        clock: Clock,
        seed: u64,
        scenario: Scenario,
        faults: Arc<dyn Faults>,
        state: Option<StateFile>,
    ) -> Result<Self, StateError> {
        let known = match &state {
            Some(state) => Position::load(state, &scenario.name)?,
            None => None,
        };
        let now = clock.now();
        let position = match known {
            None => Position::start(now),
            Some(mut position) => {
                let time = |index: usize| scenario.steps.get(index).map(|s| s.at);
                let done = position.next.checked_sub(1).and_then(time).unwrap_or_default();
                position.resume(now, done, time(position.next).or(scenario.repeat));
                position
            }
        };
        Ok(Self {
            api,
            clock,
            seed,
            scenario,
            faults,
            state,
            position,
        })
    }

    /// Creates the manifests. What exists already stays as it is: a resumed world has gone on from there.
    pub fn prepare(&self) -> Result<(), (String, StatusError)> {
        for object in &self.scenario.manifests {
            let title = title(object);
            let (kind, namespace, name) = self.place(object).map_err(|e| (title.clone(), e))?;
            if self.api.get(&kind, &namespace, &name).is_none() {
                self.api
                    .create(&kind, &namespace, object.clone())
                    .map_err(|e| (title, e))?;
            }
        }
        self.save();
        Ok(())
    }

    /// Plays the steps; ends after the last one unless the scenario repeats.
    pub async fn run(mut self) {
        loop {
            while let Some(step) = self.scenario.steps.get(self.position.next).cloned() {
                self.clock.sleep_until(after(self.position.began, step.at)).await;
                self.perform(&step.action);
                self.position.next += 1;
                self.save();
            }
            let Some(repeat) = self.scenario.repeat else {
                return;
            };
            let again = after(self.position.began, repeat);
            self.clock.sleep_until(again).await;
            self.position = Position {
                round: self.position.round + 1,
                next: 0,
                began: again,
            };
            self.save();
        }
    }

    fn save(&self) {
        if let Some(state) = &self.state
            && let Err(error) = self.position.save(state, &self.scenario.name)
        {
            tracing::warn!(%error, "the scenario's position is not saved");
        }
    }

    /// Carries one action out. What cannot be done is said and passed over: the scenario goes on.
    pub fn perform(&self, action: &Action) {
        let done = match action {
            Action::Scale { target, replicas } => {
                let patch = json!({"spec": {"replicas": replicas}});
                self.patch(target, &patch)
            }
            Action::Patch { target, patch } => self.patch(target, patch),
            Action::Delete(target) => self.find(target).and_then(|(kind, namespace)| {
                self.api
                    .delete(&kind, &namespace, &target.name, &DeleteOptions::default())
            }),
            Action::Apply(objects) => objects.iter().try_for_each(|o| self.apply(o)),
            Action::SpotInterrupt(which) => {
                for (_, id) in self.machines(which, Some("spot")) {
                    self.faults.spot_interrupt(&id);
                }
                Ok(())
            }
            Action::KillMachine(which) => {
                for (_, id) in self.machines(which, None) {
                    self.faults.kill(&id);
                }
                Ok(())
            }
            Action::Sicken {
                nodes,
                condition,
                status,
            } => self
                .machines(nodes, None)
                .iter()
                .try_for_each(|(node, _)| self.condition(node, condition, status)),
            Action::Heal(nodes) => self.machines(nodes, None).iter().try_for_each(|(node, _)| {
                let ailing = self.ailing(node);
                ailing
                    .iter()
                    .try_for_each(|kind| self.condition(node, kind, "True"))
            }),
            Action::ReleaseImages(version) => {
                self.faults.release_images(version);
                Ok(())
            }
            Action::NeverRegister(time) => {
                self.faults.never_register(after(self.clock.now(), *time));
                Ok(())
            }
            Action::RefuseCall { call, code, times } => {
                self.faults.refuse(call, code, *times);
                Ok(())
            }
            Action::IceOffering(ice) => {
                self.faults.make_ice(ice, after(self.clock.now(), ice.duration));
                Ok(())
            }
            Action::Log(text) => {
                tracing::info!(target: "scenario", "{text}");
                Ok(())
            }
        };
        if let Err(error) = done {
            tracing::warn!(target: "scenario", ?action, %error.message, "step failed");
        }
    }

    fn apply(&self, object: &Value) -> Result<(), StatusError> {
        let round = self.position.round.to_string();
        let object = substitute(object, &round);
        let (kind, namespace, name) = self.place(&object)?;
        if self.api.get(&kind, &namespace, &name).is_none() {
            return self.api.create(&kind, &namespace, object).map(|_| ());
        }
        let change = &mut |live: &mut Value| patch::merge(live, &object);
        self.api.update(&kind, &namespace, &name, change).map(|_| ())
    }

    fn patch(&self, target: &Target, change: &Value) -> Result<(), StatusError> {
        let (kind, namespace) = self.find(target)?;
        let change = &mut |live: &mut Value| patch::merge(live, change);
        self.api
            .update(&kind, &namespace, &target.name, change)
            .map(|_| ())
    }

    fn find(&self, target: &Target) -> Result<(String, String), StatusError> {
        let kind = self
            .api
            .kind_of(&target.api_version, &target.kind)
            .ok_or_else(StatusError::no_resource)?;
        let namespace = if kind.namespaced {
            target.namespace.clone()
        } else {
            String::new()
        };
        Ok((kind.key.clone(), namespace))
    }

    /// Kind key, namespace and name of an object.
    fn place(&self, object: &Value) -> Result<(String, String, String), StatusError> {
        let text = |value: &Value, default: &str| value.as_str().unwrap_or(default).to_owned();
        let target = Target {
            api_version: text(&object["apiVersion"], ""),
            kind: text(&object["kind"], ""),
            namespace: text(&object["metadata"]["namespace"], "default"),
            name: text(&object["metadata"]["name"], ""),
        };
        let (kind, namespace) = self.find(&target)?;
        Ok((kind, namespace, target.name))
    }

    /// Node names and instance ids of the machines that are meant, of one capacity type or of all. Which ones, the
    /// seed draws.
    fn machines(&self, which: &Machines, capacity: Option<&str>) -> BTreeSet<(String, String)> {
        let mut all: Vec<(u64, String, String)> = Vec::new();
        for node in self.api.list("nodes") {
            let own = node.labels.get(names::CAPACITY_TYPE);
            if own.is_none() || capacity.is_some_and(|c| own.is_none_or(|o| &**o != c)) {
                continue;
            }
            let value = node.value();
            let going = !value["metadata"]["deletionTimestamp"].is_null();
            let id = value["spec"]["providerID"]
                .as_str()
                .and_then(|p| p.rsplit('/').next());
            if let Some(id) = id.filter(|_| !going) {
                let order = random::draw(self.seed, "spot-interrupt", &format!("{}/{id}", self.clock.now()));
                all.push((order, node.name.to_string(), id.to_owned()));
            }
        }
        all.sort();
        let count = match which {
            Machines::Node(name) => {
                all.retain(|(_, node, _)| node == name);
                1
            }
            Machines::Count(count) => *count,
            // A share of a few machines still means one. The product is small and not negative.
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss
            )]
            Machines::Share(share) => {
                ((all.len() as f64 * share).round() as usize).max(usize::from(*share > 0.0))
            }
        };
        all.into_iter()
            .take(count)
            .map(|(_, node, id)| (node, id))
            .collect()
    }

    /// Conditions of a node that repair knows and that are not True.
    fn ailing(&self, node: &str) -> Vec<String> {
        let Some(stored) = self.api.get("nodes", "", node) else {
            return Vec::new();
        };
        let value = stored.value();
        let conditions = value["status"]["conditions"].as_array();
        conditions
            .into_iter()
            .flatten()
            .filter(|c| c["status"] != "True")
            .filter_map(|c| c["type"].as_str())
            .filter(|kind| names::REPAIR_CONDITIONS.contains(kind))
            .map(str::to_owned)
            .collect()
    }

    fn condition(&self, node: &str, kind: &str, status: &str) -> Result<(), StatusError> {
        let at = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let entry = json!({"type": kind, "status": status, "reason": "Scenario",
            "message": "set by the scenario", "lastHeartbeatTime": at, "lastTransitionTime": at});
        let change = &mut |live: &mut Value| {
            if let Some(list) = live["status"]["conditions"].as_array_mut() {
                match list.iter_mut().find(|c| c["type"] == kind) {
                    Some(old) => *old = entry.clone(),
                    None => list.push(entry.clone()),
                }
            }
        };
        self.api.update("nodes", "", node, change).map(|_| ())
    }
}

fn title(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// `${round}` in every text of an object.
fn substitute(value: &Value, round: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${round}", round)),
        Value::Array(list) => list.iter().map(|v| substitute(v, round)).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| (k.replace("${round}", round), substitute(v, round)))
                .collect(),
        ),
        other => other.clone(),
    }
}
