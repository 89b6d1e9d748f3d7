//! Instance profiles, answered from memory. Every role exists but those that were taken away.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Ec2, State};
use crate::cloud::aws::api::rates::Class;
use crate::cloud::aws::api::{Call, Ec2Error, Iam, InstanceProfile};
use crate::model::Name;

/// What IAM holds.
#[derive(Debug, Default)]
pub(super) struct Identities {
    profiles: BTreeMap<Name, InstanceProfile>,
    without: BTreeSet<Name>,
}

fn no_profile(name: &str) -> Ec2Error {
    Ec2Error::new(
        "NoSuchEntity",
        format!("Instance Profile {name} cannot be found."),
    )
}

fn profile<'a>(state: &'a mut State, name: &Name) -> Result<&'a mut InstanceProfile, Ec2Error> {
    state
        .identities
        .profiles
        .get_mut(name)
        .ok_or_else(|| no_profile(name))
}

impl Ec2 {
    /// Every instance profile.
    pub fn instance_profiles(&self) -> Vec<InstanceProfile> {
        self.lock().identities.profiles.values().cloned().collect()
    }

    /// Whether a role exists.
    pub fn set_role(&self, role: &str, exists: bool) {
        let without = &mut self.lock().identities.without;
        if exists {
            without.remove(role);
        } else {
            without.insert(role.into());
        }
    }
}

impl Iam for Ec2 {
    fn get_instance_profile(&self, name: Name) -> Call<'_, InstanceProfile> {
        self.answer("GetInstanceProfile", Class::Describe, |state, _| {
            profile(state, &name).cloned()
        })
    }

    fn create_instance_profile(&self, new: InstanceProfile) -> Call<'_, ()> {
        self.answer("CreateInstanceProfile", Class::Describe, |state, _| {
            if state.identities.profiles.contains_key(&new.name) {
                let message = format!("Instance Profile {} already exists.", new.name);
                return Err(Ec2Error::new("EntityAlreadyExists", message));
            }
            let new = InstanceProfile {
                roles: Vec::new(),
                ..new
            };
            state.identities.profiles.insert(new.name.clone(), new);
            Ok(())
        })
    }

    fn add_role_to_instance_profile(&self, name: Name, role: Name) -> Call<'_, ()> {
        self.answer("AddRoleToInstanceProfile", Class::Describe, |state, _| {
            if state.identities.without.contains(&role) {
                let message = format!("The role with name {role} cannot be found.");
                return Err(Ec2Error::new("NoSuchEntity", message));
            }
            let found = profile(state, &name)?;
            if !found.roles.is_empty() {
                let message = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
                return Err(Ec2Error::new("LimitExceeded", message));
            }
            found.roles.push(role);
            Ok(())
        })
    }

    fn delete_instance_profile(&self, name: Name) -> Call<'_, ()> {
        self.answer("DeleteInstanceProfile", Class::Describe, |state, _| {
            if !profile(state, &name)?.roles.is_empty() {
                let message = "Cannot delete entity, must remove roles from instance profile first.";
                return Err(Ec2Error::new("DeleteConflict", message));
            }
            state.identities.profiles.remove(&name);
            Ok(())
        })
    }
}
