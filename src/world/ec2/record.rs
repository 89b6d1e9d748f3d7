//! What the embedded EC2 keeps of an instance and of a launch template, in memory and in the state file.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::aws::api::{
    FleetInstance, FleetOverride, Instance, LaunchTemplate, LaunchTemplateData, Tags,
};
use crate::model::{Name, UsdPerHour};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// `state` in it is not kept: ask [`Record::state`].
    pub instance: Instance,
    pub data: Arc<LaunchTemplateData>,
    /// Client token of the fleet, and a digest of its request.
    pub token: Name,
    pub request: u64,
    pub priority: UsdPerHour,
    pub running_at: Timestamp,
    /// Unknown to describe calls until then.
    pub visible_at: Timestamp,
    pub ending_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub reclaim: Option<Reclaim>,
    /// The kubelets were told that it runs.
    #[serde(skip)]
    pub announced: bool,
}

/// When the spot market takes an instance back.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Reclaim {
    pub rebalance: Option<Timestamp>,
    pub notice: Timestamp,
    pub stop: Timestamp,
}

impl Record {
    pub fn state(&self, now: Timestamp) -> &'static str {
        let passed = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if passed(self.ended_at) {
            "terminated"
        } else if passed(self.ending_at) {
            "shutting-down"
        } else if self.running_at <= now {
            "running"
        } else {
            "pending"
        }
    }

    /// As describe calls show it.
    pub fn shown(&self, now: Timestamp) -> Instance {
        Instance {
            state: self.state(now).into(),
            ..self.instance.clone()
        }
    }

    pub fn is_spot(&self) -> bool {
        self.instance.spot_instance_request_id.is_some()
    }

    pub fn is_live(&self) -> bool {
        self.ending_at.is_none()
    }

    /// As the fleet that made it answered.
    pub fn answered(&self) -> FleetInstance {
        let i = &self.instance;
        FleetInstance {
            instance_ids: vec![i.instance_id.clone()],
            lifecycle: if self.is_spot() {
                "spot".into()
            } else {
                "on-demand".into()
            },
            chosen: FleetOverride {
                instance_type: i.instance_type.clone(),
                subnet_id: i.subnet_id.clone(),
                availability_zone: i.availability_zone.clone(),
                image_id: i.image_id.clone(),
                priority: self.priority,
            },
            launched: i.launch_time,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Template {
    pub id: Name,
    pub name: Name,
    pub data: Arc<LaunchTemplateData>,
    pub tags: Tags,
}

impl Template {
    pub fn shown(&self) -> LaunchTemplate {
        LaunchTemplate {
            launch_template_id: self.id.clone(),
            launch_template_name: self.name.clone(),
            tags: self.tags.clone(),
        }
    }
}
