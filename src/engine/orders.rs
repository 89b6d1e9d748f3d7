//! A person's commands.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::run::{Engine, after};
use crate::decide::disruption::{self, Force};
use crate::gate::command::Spoken;
use crate::gate::{Command, Mode, Refused, Scope};
use crate::ledger::{Body, Cause};
use crate::model::Name;
use crate::model::decision::{DecisionId, State};

impl Engine {
    /// Carries a command out; what cannot be done is recorded with the reason and changes nothing.
    pub(super) fn obey(&mut self, who: &Name, command: Command) {
        let now = self.clock.now();
        let spoken = Spoken {
            who: who.clone(),
            command: command.clone(),
        };
        let refused = self.try_obey(who, command).err();
        let cause = Cause::Person(who.clone());
        self.book.append(now, cause, Body::Command { spoken, refused });
    }

    fn try_obey(&mut self, who: &Name, command: Command) -> Result<(), String> {
        let now = self.clock.now();
        let cause = Cause::Person(who.clone());
        let text = |e: Refused| e.to_string();
        let of_this_process = matches!(
            command,
            Command::SetMode { .. }
                | Command::Record { .. }
                | Command::World { .. }
                | Command::Speed { .. }
                | Command::Quit
        );
        if let (false, Err(why @ Refused::Following(_))) = (of_this_process, self.gate.may_write()) {
            return Err(text(why));
        }
        match command {
            Command::Approve { id, hash } => {
                self.gate.approve(id, hash, who, now).map_err(text)?;
                self.rule(id, State::Approved, who, String::new(), cause);
            }
            Command::Reject { id, reason } => {
                self.gate.reject(id, now).map_err(text)?;
                self.rule(id, State::Rejected, who, reason, cause);
                self.remember();
                self.dirty.all = true;
            }
            Command::Undo { id } => self.undo(id, who)?,
            Command::Pause { scope, minutes } => {
                let until = minutes.map(|m| after(now, Duration::from_secs(u64::from(m) * 60)));
                self.gate.pause(&scope, until, who, now).map_err(text)?;
                self.record_supervision(cause);
            }
            Command::Resume { scope } => {
                self.gate.resume(&scope).map_err(text)?;
                self.dirty.all = true;
                self.record_supervision(cause);
            }
            Command::SetMode { mode } if mode != Mode::Observe && self.make_actor.is_none() => {
                let mode = mode.as_str();
                return Err(format!(
                    "this run was started to observe and has nothing to write with: start it with --mode {mode}"
                ));
            }
            Command::SetMode { mode } => {
                self.gate.set_mode(mode);
                self.sync_actor();
                self.dirty.all = true;
                self.rejudge(now);
                self.record_supervision(cause);
            }
            Command::SetPolicy { kind, policy } => {
                self.gate.set_policy(kind, policy);
                self.rejudge(now);
                self.record_supervision(cause);
            }
            Command::Consolidate {
                scope,
                ignore_budgets,
            } => {
                let scope = match scope {
                    Scope::Pool(name) => disruption::Scope::Pool(name),
                    Scope::Node(name) => disruption::Scope::Node(name),
                    Scope::Everything | Scope::Disruption => disruption::Scope::All,
                    Scope::Provisioning => return Err("provisioning cannot be consolidated".into()),
                };
                self.force = Some(Force {
                    scope,
                    ignore_budgets,
                });
            }
            Command::Release { guard } => {
                for id in self.gate.release(guard, who, now).map_err(text)? {
                    let reason = format!("guard {} released", guard.as_str());
                    self.rule(id, State::Approved, who, reason, cause.clone());
                }
                self.dirty.all = true;
                self.remember();
            }
            Command::Cordon { node, on } => self.cordon(&node, on, who)?,
            Command::Drain { node } => self.drain(&node, who)?,
            Command::Terminate { claim } => self.terminate(&claim, who)?,
            Command::Record { file } => self.record(file)?,
            Command::World { event } => match &self.stage {
                Some(stage) => stage.play(&event)?,
                None => return Err("this is no embedded world: nothing can be made to happen in it".into()),
            },
            Command::Speed { times } => {
                let Some(speed) = &self.speed else {
                    return Err("a real cluster runs at the wall's speed".into());
                };
                speed.store(times, Ordering::Relaxed);
                self.book.view_mut().host.speed = Some(times);
            }
            Command::Quit => self.quit = true,
        }
        Ok(())
    }

    fn record(&mut self, file: Option<String>) -> Result<(), String> {
        let Some(file) = file else {
            return match self.book.view_mut().host.recording.take() {
                None => Err("nothing is being recorded".into()),
                Some(file) => self.book.close().map_err(|e| format!("{file}: {e}")),
            };
        };
        if let Some(file) = &self.book.view().host.recording {
            return Err(format!("{file} is being recorded already"));
        }
        self.book
            .record(std::path::Path::new(&file))
            .map_err(|e| format!("{file}: {e}"))?;
        self.book.view_mut().host.recording = Some(file);
        Ok(())
    }

    /// Decisions that were only noted, or that waited, are judged by the new rules.
    fn rejudge(&mut self, now: jiff::Timestamp) {
        let waiting: Vec<_> = self
            .gate
            .open()
            .filter(|o| matches!(o.state, State::Noted | State::Held))
            .map(|o| (o.decision.clone(), o.state))
            .collect();
        for (decision, old) in waiting {
            let state = self.gate.judge(&decision);
            if state != old {
                let why = self.gate.judged_by(&decision);
                self.gate.set(decision.id, state, now);
                self.rule(decision.id, state, "policy", why, Cause::Engine);
            }
        }
    }

    /// Back to review while nothing was begun; a roll-back while no eviction was.
    fn undo(&mut self, id: DecisionId, who: &Name) -> Result<(), String> {
        let now = self.clock.now();
        let cause = Cause::Person(who.clone());
        match self.gate.get(id).map(|o| o.state) {
            Some(State::Approved) => {
                self.gate.set(id, State::Held, now);
                self.rule(id, State::Held, who, "approval undone".into(), cause);
                Ok(())
            }
            Some(State::Acting) => {
                let acting = self
                    .acting
                    .get(&id)
                    .ok_or_else(|| Refused::NotWaiting(id).to_string())?;
                if acting.evicting {
                    return Err(Refused::TooLate(id, "evictions have begun").to_string());
                }
                let nodes = Self::candidates(&acting.decision);
                if nodes.is_empty() {
                    return Err(Refused::TooLate(id, "machines were asked for already").to_string());
                }
                let snapshot = self.snapshot();
                let deleting = nodes.iter().any(|n| {
                    snapshot.nodes.get(n).is_none_or(|node| {
                        node.deleting.is_some()
                            || snapshot
                                .claim_of(&node.provider_id)
                                .is_none_or(|c| c.deleting.is_some())
                    })
                });
                if deleting {
                    return Err(Refused::TooLate(id, "a node is being deleted").to_string());
                }
                for step in disruption::undo(&snapshot, &nodes) {
                    self.step(step, now);
                }
                Ok(())
            }
            _ => Err(Refused::NotWaiting(id).to_string()),
        }
    }
}
