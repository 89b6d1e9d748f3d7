//! The writing half of the cloud port.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::api::{self, CreateLaunchTemplate, Ec2Error, Ec2Read, Ec2Write, Filter, FleetResult, Iam};
use super::launch::reserved::{self, Kind};
use super::launch::template::{Group, Options};
use super::launch::{errors, filters, fleet, result, subnets, template};
use super::node_class::api_error;
use super::profiles::Profiles;
use super::reader::{capacity_type, id_of};
use super::settings::Settings;
use crate::api::names;
use crate::clock::Clock;
use crate::cloud::port::{CloudError, CloudWrite, LaunchResult, Pending};
use crate::cloud::stock::{Stock, Unavailable};
use crate::model::node_class::ResolvedClass;
use crate::model::{CapacityType, Catalogue, Claim, Labels, Name, NodeClass, Offering, Status};

/// A template that no launch used for so long is deleted (`aws §1`).
const TEMPLATE_AGE: SignedDuration = SignedDuration::from_mins(1);
const NO_TEMPLATE: &str = "InvalidLaunchTemplateName.NotFoundException";

/// `CloudWrite` over [`Ec2Write`]. Not built at all where nothing may be written.
pub struct Writer {
    read: Arc<dyn Ec2Read>,
    write: Arc<dyn Ec2Write>,
    stock: Arc<Stock>,
    settings: Arc<Settings>,
    clock: Clock,
    /// Templates known to be there, with their last use. The lock is held over the calls that make them, so that
    /// two launches do not make the same one.
    templates: Mutex<BTreeMap<Name, Timestamp>>,
    /// `None`: the profiles of classes that name a role are somebody else's to make.
    profiles: Option<Profiles>,
}

/// Makes the writing half; `stock` is the reading half's.
pub fn writer(
    read: Arc<dyn Ec2Read>,
    write: Arc<dyn Ec2Write>,
    stock: Arc<Stock>,
    settings: Settings,
    clock: Clock,
) -> Writer {
    Writer {
        read,
        write,
        stock,
        settings: Arc::new(settings),
        clock,
        templates: Mutex::new(BTreeMap::new()),
        profiles: None,
    }
}

/// What one attempt at a fleet needs.
struct Attempt<'a> {
    claim: &'a Claim,
    class: &'a NodeClass,
    resolved: &'a ResolvedClass,
    kept: &'a [filters::Candidate],
    market: CapacityType,
    tenancy: &'static str,
    chosen: &'a subnets::Chosen,
    token: &'a str,
}

impl<'a> Attempt<'a> {
    /// What an override asks for.
    fn offering(&self, tried: &api::FleetOverride) -> Option<&'a Offering> {
        let candidate = self
            .kept
            .iter()
            .find(|c| c.instance_type.name == tried.instance_type)?;
        candidate
            .offerings()
            .find(|o| o.capacity_type == self.market && o.zone == tried.availability_zone)
    }

    /// What the reservations are like that it may take its instance from.
    fn reserved(&self) -> Option<Kind> {
        let offerings = self.kept.iter().flat_map(filters::Candidate::offerings);
        offerings
            .filter(|o| o.capacity_type == self.market)
            .find_map(Kind::of)
    }
}

impl Writer {
    /// Instance profiles of classes that name a role are made before the first launch.
    #[must_use]
    pub fn with_iam(mut self, iam: Arc<dyn Iam>) -> Self {
        self.profiles = Some(Profiles::new(iam));
        self
    }

    async fn launched(
        &self,
        claim: &Claim,
        class: &NodeClass,
        catalogue: &Catalogue,
        token: &str,
    ) -> Result<LaunchResult, CloudError> {
        let resolved = ready(class)?;
        // A lost answer or a crash after the call: the instance is there already.
        if let Some(found) = self.find(token).await? {
            return from_found(&found, claim, class, resolved, catalogue);
        }
        let now = self.clock.now();
        let unavailable = Unavailable::at(&self.stock, now);
        let best_effort = self.settings.min_values_best_effort;
        let filtered = filters::run(catalogue, claim, &unavailable, best_effort)
            .map_err(|e| CloudError::InsufficientCapacity(e.to_string()))?;
        let market = filters::capacity_type(&claim.requirements, &filtered.kept);
        if let Some(profiles) = self.profiles.as_ref().filter(|_| !self.settings.isolated_vpc) {
            profiles.ensure(&self.settings, class, now).await?;
        }
        let chosen = subnets::choose(
            &resolved.subnets,
            &filtered.kept,
            market,
            &self.stock,
            &unavailable,
        );
        let attempt = Attempt {
            claim,
            class,
            resolved,
            kept: &filtered.kept,
            market,
            tenancy: filters::tenancy(&claim.requirements),
            chosen: &chosen,
            token,
        };
        let answer = match self.fleet(&attempt).await {
            Ok(answer) => answer,
            Err(error) => {
                subnets::release_unused(&chosen, None, &self.stock);
                return Err(error);
            }
        };
        let used = answer.instances.first().map(|i| i.chosen.subnet_id.clone());
        subnets::release_unused(&chosen, used.as_ref(), &self.stock);
        let reservation =
            |tried: &api::FleetOverride| attempt.offering(tried).and_then(|o| o.reservation().cloned());
        errors::remember(&answer.errors, market, reservation, &self.stock, self.clock.now());
        if let Some(got) = answer.instances.first()
            && let Some(id) = reservation(&got.chosen)
        {
            self.stock.reservation_used(&id, got.launched);
        }
        from_fleet(&attempt, catalogue, &answer)
    }

    /// The instance that an earlier call with the token made, if any.
    async fn find(&self, token: &str) -> Result<Option<api::Instance>, CloudError> {
        let filter = Filter::new(&format!("tag:{}", names::TAG_TOKEN), [token]);
        let found = self.read.describe_instances(vec![filter]).await;
        let mut found = found.map_err(api_error("DescribeInstances"))?;
        let ended = |i: &api::Instance| matches!(&*i.state, "shutting-down" | "terminated");
        found.sort_by(|a, b| (ended(a), &a.instance_id).cmp(&(ended(b), &b.instance_id)));
        Ok(found.into_iter().next())
    }

    /// Templates, then the fleet; once more when a template was deleted behind our back (`aws §10`).
    async fn fleet(&self, attempt: &Attempt<'_>) -> Result<FleetResult, CloudError> {
        let tags = fleet::tags(&self.settings, attempt.class, attempt.claim);
        let options = Options {
            class: attempt.class,
            resolved: attempt.resolved,
            claim: attempt.claim,
            settings: &self.settings,
            market: attempt.market,
            tenancy: attempt.tenancy,
            tags: &tags,
        };
        let groups = template::groups(attempt.kept, attempt.resolved, attempt.claim, attempt.market);
        let mut retried = false;
        loop {
            let configs = self.configs(attempt, &options, &groups).await?;
            if configs.is_empty() {
                let message = "no type has an image, a subnet and an offering at once".to_owned();
                return Err(CloudError::Launch {
                    reason: "LaunchFailed".into(),
                    message,
                });
            }
            let used: Vec<Name> = configs.iter().map(|c| c.launch_template_name.clone()).collect();
            let (class, claim) = (attempt.class, attempt.claim);
            let reserved = attempt.reserved();
            let request = fleet::request(
                configs,
                attempt.market,
                reserved,
                class,
                claim,
                &tags,
                attempt.token,
            );
            match self.write.create_fleet(request).await {
                Ok(answer) => {
                    let gone = answer.errors.iter().any(|e| &*e.error_code == NO_TEMPLATE);
                    if !gone || retried || !answer.instances.is_empty() {
                        return Ok(answer);
                    }
                }
                Err(error) if &*error.code == NO_TEMPLATE && !retried => {}
                Err(error) => return Err(errors::of_request("CreateFleet", &error)),
            }
            retried = true;
            let mut templates = self.templates.lock().await;
            for name in &used {
                templates.remove(name);
            }
        }
    }

    async fn configs(
        &self,
        attempt: &Attempt<'_>,
        options: &Options<'_>,
        groups: &[Group],
    ) -> Result<Vec<api::FleetConfig>, CloudError> {
        let mut out = Vec::new();
        for group in groups {
            let request = template::request(options, group)?;
            let name = request.launch_template_name.clone();
            if let Some(config) = fleet::config(&name, group, attempt.kept, attempt.market, attempt.chosen) {
                self.ensure(request).await?;
                out.push(config);
            }
        }
        Ok(out)
    }

    /// Known → nothing; there → remembered; else created. Templates long unused are deleted on the way.
    async fn ensure(&self, request: CreateLaunchTemplate) -> Result<(), CloudError> {
        let now = self.clock.now();
        let name = request.launch_template_name.clone();
        let mut templates = self.templates.lock().await;
        if let Some(used) = templates.get_mut(&name) {
            *used = now;
        } else {
            match self.read.describe_launch_template(name.clone()).await {
                Ok(_) => {}
                Err(error) if error.is_not_found() => {
                    let made = self.write.create_launch_template(request).await;
                    made.map_err(|e| errors::of_request("CreateLaunchTemplate", &e))?;
                }
                Err(error) => return Err(errors::of_request("DescribeLaunchTemplates", &error)),
            }
            templates.insert(name, now);
        }
        let idle: Vec<Name> = templates
            .iter()
            .filter(|(_, used)| now.duration_since(**used) > TEMPLATE_AGE)
            .map(|(name, _)| name.clone())
            .collect();
        for name in idle {
            templates.remove(&name);
            if let Err(error) = self.write.delete_launch_template(name.clone()).await {
                tracing::warn!(%error, template = %name, "an unused launch template could not be deleted");
            }
        }
        Ok(())
    }

    async fn terminated(&self, provider_id: &str) -> Result<(), CloudError> {
        let id: Name = id_of(provider_id).into();
        let found = self
            .read
            .describe_instances(vec![Filter::new("instance-id", [id.clone()])])
            .await;
        let state = match found {
            Ok(found) => found.into_iter().next().map(|i| i.state),
            Err(error) => return Err(not_found_or("DescribeInstances", error)),
        };
        match state.as_deref() {
            None | Some("terminated") => Err(CloudError::NotFound),
            Some("shutting-down") => Ok(()),
            Some(_) => {
                let ended = self.write.terminate_instance(id).await;
                ended.map_err(|e| not_found_or("TerminateInstances", e))
            }
        }
    }
}

fn not_found_or(call: &str, error: Ec2Error) -> CloudError {
    if error.is_not_found() {
        CloudError::NotFound
    } else {
        api_error(call)(error)
    }
}

fn unknown_type(name: &str) -> CloudError {
    CloudError::Launch {
        reason: "InstanceTypeResolutionFailed".into(),
        message: format!("instance type {name} is not in the catalogue"),
    }
}

/// `aws §9.1`: what a class must be before a launch.
fn ready(class: &NodeClass) -> Result<&ResolvedClass, CloudError> {
    if class.deleting.is_some() {
        let message = format!("EC2NodeClass {} is being deleted", class.name);
        return Err(CloudError::InsufficientCapacity(message));
    }
    let Some(resolved) = class.resolved.as_deref() else {
        return Err(CloudError::Launch {
            reason: "NodeClassReadinessUnknown".into(),
            message: format!("EC2NodeClass {} is not resolved yet", class.name),
        });
    };
    if let Some((_, reason, message)) = resolved.problems.first() {
        return Err(CloudError::NodeClassNotReady(format!(
            "{}: {reason}: {message}",
            class.name
        )));
    }
    if let Some(condition) = class.conditions.get(names::READY) {
        if condition
            .observed_generation
            .is_some_and(|g| g != class.generation)
        {
            return Err(CloudError::NodeClassNotReady(format!(
                "{}: its Ready condition is of another generation",
                class.name
            )));
        }
        match condition.status {
            Status::True => {}
            Status::False => {
                return Err(CloudError::NodeClassNotReady(format!(
                    "{}: {}",
                    class.name, condition.message
                )));
            }
            Status::Unknown => {
                return Err(CloudError::Launch {
                    reason: "NodeClassReadinessUnknown".into(),
                    message: format!("EC2NodeClass {}: {}", class.name, condition.message),
                });
            }
        }
    }
    Ok(resolved)
}

impl CloudWrite for Writer {
    fn launch<'a>(
        &'a self,
        claim: &'a Claim,
        class: &'a NodeClass,
        catalogue: &'a Catalogue,
        token: &'a str,
    ) -> Pending<'a, Result<LaunchResult, CloudError>> {
        Box::pin(self.launched(claim, class, catalogue, token))
    }

    fn terminate<'a>(&'a self, provider_id: &'a str) -> Pending<'a, Result<(), CloudError>> {
        Box::pin(self.terminated(provider_id))
    }

    fn tag<'a>(&'a self, provider_id: &'a str, tags: &'a Labels) -> Pending<'a, Result<(), CloudError>> {
        Box::pin(async move {
            let tagged = self
                .write
                .create_tags(id_of(provider_id).into(), tags.clone())
                .await;
            tagged.map_err(|e| not_found_or("CreateTags", e))
        })
    }
}

/// The answer of EC2 as the result of the launch.
fn from_fleet(
    attempt: &Attempt<'_>,
    catalogue: &Catalogue,
    answer: &FleetResult,
) -> Result<LaunchResult, CloudError> {
    let first = answer.instances.first();
    let Some((got, id)) = first.and_then(|i| i.instance_ids.first().map(|id| (i, id))) else {
        return Err(errors::of_fleet(&answer.errors));
    };
    let name = &got.chosen.instance_type;
    let instance_type = catalogue.get(name).ok_or_else(|| unknown_type(name))?;
    let sent: Vec<&Name> = attempt
        .kept
        .iter()
        .filter(|c| c.offerings().any(|o| o.capacity_type == attempt.market))
        .map(|c| &c.instance_type.name)
        .collect();
    let place = sent.iter().position(|n| *n == name).map_or(0, |i| i + 1);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(result::of(
        result::Got {
            id,
            instance_type,
            zone: &got.chosen.availability_zone,
            market: attempt.market,
            reservation: attempt
                .offering(&got.chosen)
                .into_iter()
                .flat_map(reserved::labels)
                .collect(),
            tenancy: attempt.tenancy,
            image_id: &got.chosen.image_id,
            rank: count(place),
            types_sent: count(sent.len()),
            errors: errors::lines(&answer.errors, attempt.market),
        },
        attempt.claim,
        attempt.class,
        attempt.resolved,
    ))
}

/// Takes an instance found by its token for the claim. One that ended already counts as no capacity: the
/// token is spent, and the pods are planned again.
fn from_found(
    found: &api::Instance,
    claim: &Claim,
    class: &NodeClass,
    resolved: &ResolvedClass,
    catalogue: &Catalogue,
) -> Result<LaunchResult, CloudError> {
    if matches!(&*found.state, "shutting-down" | "terminated") {
        let message = format!("instance {} of this launch is {}", found.instance_id, found.state);
        return Err(CloudError::InsufficientCapacity(message));
    }
    let name = &found.instance_type;
    let instance_type = catalogue.get(name).ok_or_else(|| unknown_type(name))?;
    let reservation = instance_type
        .offerings
        .iter()
        .find(|o| o.reservation().is_some() && o.reservation() == found.capacity_reservation_id.as_ref());
    Ok(result::of(
        result::Got {
            id: &found.instance_id,
            instance_type,
            zone: &found.availability_zone,
            market: capacity_type(found),
            reservation: reservation.into_iter().flat_map(reserved::labels).collect(),
            tenancy: &found.tenancy,
            image_id: &found.image_id,
            rank: 0,
            types_sent: 0,
            errors: Vec::new(),
        },
        claim,
        class,
        resolved,
    ))
}
