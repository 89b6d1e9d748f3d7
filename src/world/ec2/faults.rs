//! What can be made to go wrong.

use jiff::Timestamp;

use super::Ec2;
use super::images;
use super::query::like;
use crate::cloud::aws::api::{Ec2Error, Image, InstanceStatus};
use crate::model::CapacityType;

#[derive(Debug, Default)]
pub(super) struct Faults {
    shortages: Vec<Shortage>,
    refusals: Vec<Refusal>,
    /// Machines that start running before then never register.
    mute_until: Option<Timestamp>,
}

#[derive(Debug)]
struct Shortage {
    instance_type: String,
    zone: String,
    capacity_type: CapacityType,
    until: Timestamp,
}

#[derive(Debug)]
struct Refusal {
    call: String,
    error: Ec2Error,
    times: u32,
}

impl Faults {
    pub fn is_short(&self, instance_type: &str, zone: &str, market: CapacityType, now: Timestamp) -> bool {
        self.shortages.iter().any(|s| {
            s.until > now
                && s.capacity_type == market
                && like(&s.instance_type, instance_type)
                && like(&s.zone, zone)
        })
    }

    /// Whether a machine that runs from `at` on stays silent.
    pub fn is_mute(&self, at: Timestamp) -> bool {
        self.mute_until.is_some_and(|until| at < until)
    }

    /// The refusal due for a call, which is used up.
    pub fn refuse(&mut self, call: &str) -> Result<(), Ec2Error> {
        let Some(at) = self.refusals.iter().position(|r| r.call == call) else {
            return Ok(());
        };
        let refusal = &mut self.refusals[at];
        refusal.times = refusal.times.saturating_sub(1);
        let error = refusal.error.clone();
        if refusal.times == 0 {
            self.refusals.remove(at);
        }
        Err(error)
    }
}

impl Ec2 {
    /// Spot notice now, the instance goes 120 s later. False when there is no such live spot instance.
    pub fn spot_interrupt(&self, instance_id: &str) -> bool {
        let now = self.now();
        let mut state = self.lock();
        let found = state
            .records
            .get(instance_id)
            .is_some_and(|r| r.is_live() && r.is_spot());
        if found {
            self.notice(&mut state, instance_id, now);
        }
        found
    }

    /// What a parameter says from now on; `None`: there is none of that name.
    pub fn set_parameter(&self, name: &str, value: Option<&str>) {
        self.lock()
            .parameters
            .insert(name.to_owned(), value.map(str::to_owned));
    }

    /// Publishes an image beside those of the releases.
    pub fn add_image(&self, image: Image) {
        self.lock().images.push(image);
    }

    /// Puts a tag on a subnet, or takes it off.
    pub fn tag_subnet(&self, id: &str, key: &str, value: Option<&str>) {
        self.lock().network.tag(id, key, value);
    }

    /// Leaves so many free addresses in a subnet.
    pub fn leave_addresses(&self, subnet: &str, free: u32) {
        self.lock().network.leave(subnet, free);
    }

    /// Puts an event of EC2 on the queue, as its rule would.
    pub fn publish(&self, detail_type: &str, detail: &serde_json::Value) {
        let now = self.now();
        let region = self.0.config.region.clone();
        self.lock().send(detail_type, detail, now, &region);
    }

    /// Puts a message on the queue as it is.
    pub fn post(&self, body: &str) {
        self.lock().post(body.to_owned());
    }

    /// What the status checks and the schedule say of an instance from now on.
    pub fn set_status(&self, status: InstanceStatus) {
        self.lock().statuses.insert(status.instance_id.clone(), status);
    }

    /// The instance dies by itself, as one with failed hardware.
    pub fn kill(&self, instance_id: &str) {
        let now = self.now();
        self.end(&mut self.lock(), instance_id, now);
    }

    /// Machines that start running before then never become nodes: a broken image, say.
    pub fn never_register(&self, until: Timestamp) {
        self.lock().faults.mute_until = Some(until);
    }

    /// No capacity of a kind until then; type and zone may hold `*`.
    pub fn make_ice(&self, instance_type: &str, zone: &str, capacity_type: CapacityType, until: Timestamp) {
        let now = self.now();
        let shortages = &mut self.lock().faults.shortages;
        shortages.retain(|s| s.until > now);
        shortages.push(Shortage {
            instance_type: instance_type.to_owned(),
            zone: zone.to_owned(),
            capacity_type,
            until,
        });
    }

    /// The next `times` calls of a name (`CreateFleet`, `TerminateInstances`, `DescribeSubnets` …) are refused.
    pub fn refuse(&self, call: &str, code: &str, message: &str, times: u32) {
        self.lock().faults.refusals.push(Refusal {
            call: call.to_owned(),
            error: Ec2Error::new(code, message),
            times,
        });
    }

    /// Publishes new images: `latest` means them from now on.
    pub fn release_images(&self, version: &str) {
        let created = self.now();
        let mut state = self.lock();
        state.meta.releases.push(images::Release {
            version: version.to_owned(),
            created,
        });
        let config = &self.0.config;
        state.images = images::all(config.seed, &config.kubernetes_version, &state.meta.releases);
        self.save_meta(&state);
    }
}
