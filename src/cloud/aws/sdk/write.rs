//! The writing half. Not built where nothing may be written.

use std::sync::Arc;

use super::convert::sdk_tags;
use super::pace::{Class, Pace};
use super::{describe, error, fleet, template};
use crate::clock::Clock;
use crate::cloud::aws::api::{
    Call, CreateFleet, CreateLaunchTemplate, Ec2Error, Ec2Write, FleetResult, LaunchTemplate, Tags,
};
use crate::model::Name;

/// `Ec2Write` over the SDK.
#[derive(Debug)]
pub(super) struct SdkWrite {
    pub ec2: aws_sdk_ec2::Client,
    pub pace: Arc<Pace>,
    pub clock: Clock,
}

impl Ec2Write for SdkWrite {
    fn create_launch_template(&self, request: CreateLaunchTemplate) -> Call<'_, LaunchTemplate> {
        Box::pin(async move {
            self.pace.wait(Class::Mutate).await;
            let call = template::request(self.ec2.create_launch_template(), &request);
            let answer = call.send().await.map_err(|e| error::of(&e))?;
            let made = answer.launch_template.map(describe::launch_template);
            made.ok_or_else(|| Ec2Error::new(error::BAD_ANSWER, "no launch template in the answer"))
        })
    }

    fn delete_launch_template(&self, name: Name) -> Call<'_, ()> {
        Box::pin(async move {
            self.pace.wait(Class::Mutate).await;
            let call = self.ec2.delete_launch_template().launch_template_name(&*name);
            call.send().await.map_err(|e| error::of(&e))?;
            Ok(())
        })
    }

    fn create_fleet(&self, request: CreateFleet) -> Call<'_, FleetResult> {
        Box::pin(async move {
            self.pace.wait(Class::Mutate).await;
            let call = fleet::request(self.ec2.create_fleet(), &request);
            let answer = call.send().await.map_err(|e| error::of(&e))?;
            Ok(fleet::result(answer, &request, self.clock.now()))
        })
    }

    fn terminate_instance(&self, instance_id: Name) -> Call<'_, ()> {
        Box::pin(async move {
            self.pace.wait(Class::Terminate).await;
            let call = self.ec2.terminate_instances().instance_ids(&*instance_id);
            call.send().await.map_err(|e| error::of(&e))?;
            Ok(())
        })
    }

    fn create_tags(&self, resource: Name, tags: Tags) -> Call<'_, ()> {
        Box::pin(async move {
            self.pace.wait(Class::Tag).await;
            let call = self.ec2.create_tags().resources(&*resource);
            let call = call.set_tags(Some(sdk_tags(&tags)));
            call.send().await.map_err(|e| error::of(&e))?;
            Ok(())
        })
    }
}
