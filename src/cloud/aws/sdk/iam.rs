//! Instance profiles. Not built where nothing may be written.

use aws_sdk_iam::types;

use super::error;
use crate::cloud::aws::api::{Call, Ec2Error, Iam, InstanceProfile};
use crate::model::Name;

/// `Iam` over the SDK.
#[derive(Debug)]
pub(super) struct SdkIam(pub aws_sdk_iam::Client);

fn profile(found: types::InstanceProfile) -> InstanceProfile {
    let tags = found.tags.unwrap_or_default();
    InstanceProfile {
        name: found.instance_profile_name.into(),
        path: found.path,
        roles: found.roles.into_iter().map(|r| r.role_name.into()).collect(),
        tags: tags.into_iter().map(|t| (t.key.into(), t.value.into())).collect(),
    }
}

impl Iam for SdkIam {
    fn get_instance_profile(&self, name: Name) -> Call<'_, InstanceProfile> {
        Box::pin(async move {
            let sent = self
                .0
                .get_instance_profile()
                .instance_profile_name(&*name)
                .send()
                .await;
            let found = sent.map_err(|e| error::of(&e))?.instance_profile;
            let found = found.map(profile);
            found.ok_or_else(|| Ec2Error::new(error::BAD_ANSWER, "no instance profile in the answer"))
        })
    }

    fn create_instance_profile(&self, new: InstanceProfile) -> Call<'_, ()> {
        Box::pin(async move {
            let tags = new
                .tags
                .iter()
                .map(|(key, value)| types::Tag::builder().key(&**key).value(&**value).build());
            let tags = tags.collect::<Result<Vec<_>, _>>();
            let tags = tags.map_err(|e| Ec2Error::new(error::BAD_REQUEST, e.to_string()))?;
            let call = self.0.create_instance_profile().instance_profile_name(&*new.name);
            let sent = call.path(new.path).set_tags(Some(tags)).send().await;
            sent.map_err(|e| error::of(&e))?;
            Ok(())
        })
    }

    fn add_role_to_instance_profile(&self, name: Name, role: Name) -> Call<'_, ()> {
        Box::pin(async move {
            let call = self
                .0
                .add_role_to_instance_profile()
                .instance_profile_name(&*name);
            call.role_name(&*role).send().await.map_err(|e| error::of(&e))?;
            Ok(())
        })
    }

    fn delete_instance_profile(&self, name: Name) -> Call<'_, ()> {
        Box::pin(async move {
            let call = self.0.delete_instance_profile().instance_profile_name(&*name);
            call.send().await.map_err(|e| error::of(&e))?;
            Ok(())
        })
    }
}
