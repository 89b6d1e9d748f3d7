//! Instance profiles of classes that name a role (`aws §2.2`).
//!
//! The name follows from cluster, region, class and role, so a pass that was cut short finds what it made, and another
//! role means another profile: the old one stays for the machines that have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::api::{Ec2Error, Iam, InstanceProfile, Tags};
use super::node_class::api_error;
use super::settings::Settings;
use super::tags::tags_of_class;
use crate::api::names;
use crate::cloud::port::CloudError;
use crate::model::{Name, NodeClass};

/// How long a profile is believed to be there, and a role to be missing (`aws §1`).
const KNOWN: SignedDuration = SignedDuration::from_mins(15);
const MISSING: SignedDuration = SignedDuration::from_mins(1);

/// `instanceProfile` as it is, or the name of the profile managed for a role; empty without either.
pub fn name(settings: &Settings, class: &NodeClass) -> Name {
    if let Some(profile) = class.spec.instance_profile.as_deref() {
        return profile.into();
    }
    let Some(role) = role_of(class) else {
        return Name::default();
    };
    let digest = Sha256::digest(format!("{}/{}/{role}", settings.region, class.name));
    let hash = digest
        .iter()
        .take(8)
        .fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
    format!("{}_{hash}", settings.cluster_name).into()
}

/// The last part of what the class says, which may hold a path.
fn role_of(class: &NodeClass) -> Option<&str> {
    let role = class.spec.role.as_deref()?;
    Some(role.rsplit('/').next().unwrap_or(role))
}

/// Makes profiles that are missing.
pub(super) struct Profiles {
    iam: Arc<dyn Iam>,
    /// The lock is held over the calls, so that two launches do not make the same one.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: BTreeMap<Name, Timestamp>,
    missing_roles: BTreeMap<Name, (Timestamp, Ec2Error)>,
}

impl Profiles {
    pub(super) fn new(iam: Arc<dyn Iam>) -> Self {
        Self {
            iam,
            state: Mutex::default(),
        }
    }

    /// Sees to it that the profile of a class is there with its role. A class that names a profile needs no call.
    ///
    /// # Errors
    /// What IAM refused. A role that does not exist is not asked for again within a minute.
    pub(super) async fn ensure(
        &self,
        settings: &Settings,
        class: &NodeClass,
        now: Timestamp,
    ) -> Result<(), CloudError> {
        let Some(role) = role_of(class).filter(|_| class.spec.instance_profile.is_none()) else {
            return Ok(());
        };
        let (profile, role) = (name(settings, class), Name::from(role));
        let mut state = self.state.lock().await;
        if state
            .known
            .get(&profile)
            .is_some_and(|at| now.duration_since(*at) < KNOWN)
        {
            return Ok(());
        }
        if let Some((at, error)) = state.missing_roles.get(&role)
            && now.duration_since(*at) < MISSING
        {
            return Err(refused(error));
        }
        match self.made(settings, class, &profile, &role).await {
            Ok(()) => {
                state.missing_roles.remove(&role);
                state.known.insert(profile, now);
                Ok(())
            }
            Err((_, error)) if error.is_not_found() && error.message.to_lowercase().contains("role") => {
                let out = refused(&error);
                state.missing_roles.insert(role, (now, error));
                Err(out)
            }
            Err((call, error)) => Err(api_error(call)(error)),
        }
    }

    async fn made(
        &self,
        settings: &Settings,
        class: &NodeClass,
        profile: &Name,
        role: &Name,
    ) -> Result<(), (&'static str, Ec2Error)> {
        let fresh = match self.iam.get_instance_profile(profile.clone()).await {
            Ok(found) if found.roles.contains(role) => return Ok(()),
            Ok(_) => false,
            Err(error) if error.is_not_found() => {
                let wanted = InstanceProfile {
                    name: profile.clone(),
                    path: format!(
                        "/karpenter/{}/{}/{}/",
                        settings.region, settings.cluster_name, class.uid
                    ),
                    roles: Vec::new(),
                    tags: tags(settings, class),
                };
                match self.iam.create_instance_profile(wanted).await {
                    Ok(()) => true,
                    // Another replica was quicker.
                    Err(error) if &*error.code == "EntityAlreadyExists" => false,
                    Err(error) => return Err(("CreateInstanceProfile", error)),
                }
            }
            Err(error) => return Err(("GetInstanceProfile", error)),
        };
        let added = self
            .iam
            .add_role_to_instance_profile(profile.clone(), role.clone())
            .await;
        if let Err(error) = added {
            if fresh && let Err(left) = self.iam.delete_instance_profile(profile.clone()).await {
                tracing::warn!(error = %left, profile = %profile, "an unfinished instance profile could not be deleted");
            }
            return Err(("AddRoleToInstanceProfile", error));
        }
        Ok(())
    }
}

fn refused(error: &Ec2Error) -> CloudError {
    CloudError::Launch {
        reason: "InstanceProfileNotReady".into(),
        message: format!("AddRoleToInstanceProfile: {error}"),
    }
}

fn tags(settings: &Settings, class: &NodeClass) -> Tags {
    let mut out = tags_of_class(settings, class);
    out.insert(names::REGION.into(), settings.region.clone());
    out
}
