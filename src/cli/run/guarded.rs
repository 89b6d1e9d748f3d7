//! The writing ends of AWS behind the fence of the lease: nothing leaves once another may lead.

use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::cloud::aws::api::{
    Call, CreateFleet, CreateLaunchTemplate, Ec2Error, Ec2Write, FleetResult, Iam, InstanceProfile,
    LaunchTemplate, Queue, QueueMessage, Tags,
};
use crate::gate::{Fence, Mode};
use crate::model::Name;

/// A port whose calls go out only while the fence is open; it is asked right before each.
pub struct Fenced<P: ?Sized> {
    pub inner: Arc<P>,
    pub fence: Fence,
    pub clock: Clock,
}

impl<P: ?Sized> Fenced<P> {
    fn guard<'a, T: Send + 'a>(
        &'a self,
        call: &'static str,
        go: impl FnOnce(&'a P) -> Call<'a, T>,
    ) -> Call<'a, T> {
        if self.fence.is_open(self.clock.now()) {
            return go(&self.inner);
        }
        let error = Ec2Error::new("NotLeading", format!("another leads now: {call} was not sent"));
        Box::pin(std::future::ready(Err(error)))
    }
}

impl Ec2Write for Fenced<dyn Ec2Write> {
    fn create_launch_template(&self, request: CreateLaunchTemplate) -> Call<'_, LaunchTemplate> {
        self.guard("CreateLaunchTemplate", |ec2| ec2.create_launch_template(request))
    }

    fn delete_launch_template(&self, name: Name) -> Call<'_, ()> {
        self.guard("DeleteLaunchTemplate", |ec2| ec2.delete_launch_template(name))
    }

    fn create_fleet(&self, request: CreateFleet) -> Call<'_, FleetResult> {
        self.guard("CreateFleet", |ec2| ec2.create_fleet(request))
    }

    fn terminate_instance(&self, instance_id: Name) -> Call<'_, ()> {
        self.guard("TerminateInstances", |ec2| ec2.terminate_instance(instance_id))
    }

    fn create_tags(&self, resource: Name, tags: Tags) -> Call<'_, ()> {
        self.guard("CreateTags", |ec2| ec2.create_tags(resource, tags))
    }
}

/// Reading calls included: they are made only on the way to a launch.
impl Iam for Fenced<dyn Iam> {
    fn get_instance_profile(&self, name: Name) -> Call<'_, InstanceProfile> {
        self.guard("GetInstanceProfile", |iam| iam.get_instance_profile(name))
    }

    fn create_instance_profile(&self, profile: InstanceProfile) -> Call<'_, ()> {
        self.guard("CreateInstanceProfile", |iam| {
            iam.create_instance_profile(profile)
        })
    }

    fn add_role_to_instance_profile(&self, profile: Name, role: Name) -> Call<'_, ()> {
        self.guard("AddRoleToInstanceProfile", |iam| {
            iam.add_role_to_instance_profile(profile, role)
        })
    }

    fn delete_instance_profile(&self, name: Name) -> Call<'_, ()> {
        self.guard("DeleteInstanceProfile", |iam| iam.delete_instance_profile(name))
    }
}

/// Whoever empties a queue hides its messages from the one that acts on them: only a leader that may act does.
pub struct LeadersQueue {
    pub inner: Arc<dyn Queue>,
    pub fence: Fence,
    pub mode: watch::Receiver<Mode>,
    pub clock: Clock,
}

impl LeadersQueue {
    fn may(&self) -> bool {
        *self.mode.borrow() != Mode::Observe && self.fence.is_open(self.clock.now())
    }
}

impl Queue for LeadersQueue {
    fn receive_messages(&self) -> Call<'_, Vec<QueueMessage>> {
        if self.may() {
            self.inner.receive_messages()
        } else {
            Box::pin(std::future::ready(Ok(Vec::new())))
        }
    }

    fn delete_message(&self, receipt: Name) -> Call<'_, ()> {
        if self.may() {
            self.inner.delete_message(receipt)
        } else {
            Box::pin(std::future::ready(Ok(())))
        }
    }
}
