//! What the selectors of an EC2NodeClass mean in the account now (`aws §2`), with the reasons for which it is not
//! ready.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::api::{Ec2Error, Ec2Read, Filter};
use super::family::Family;
use super::images::{self, Found, Variant};
use super::settings::Settings;
use super::{profiles, reservations};
use crate::api::names;
use crate::cloud::port::CloudError;
use crate::cloud::stock::Stock;
use crate::model::node_class::{ResolvedClass, ResolvedSubnet};
use crate::model::{Name, NodeClass};

/// Values of alias parameters live a day, those of parameters that a class names five minutes (`aws §1`).
const ALIAS_AGE: Duration = Duration::from_secs(24 * 3600);
const OWN_AGE: Duration = Duration::from_secs(300);
/// The same where an alias means a deprecated image (`aws §3.1`).
const DEPRECATED_AGE: Duration = Duration::from_secs(30 * 60);

/// SSM values by parameter, with the time after which they are asked for again. `None` = there is none.
pub type Parameters = BTreeMap<String, (Option<Name>, Timestamp)>;

/// Wraps a refusal with the call's name.
pub(super) fn api_error(call: &str) -> impl FnOnce(Ec2Error) -> CloudError + use<'_> {
    move |error| CloudError::Api {
        call: call.into(),
        code: error.code,
        message: error.message,
    }
}

/// Resolves one class; cheap parts are asked again at each call, the caller decides how often that is.
pub struct Resolver<'a> {
    pub read: &'a dyn Ec2Read,
    pub settings: &'a Settings,
    pub stock: &'a Stock,
    pub parameters: &'a mut Parameters,
    pub now: Timestamp,
}

impl Resolver<'_> {
    /// # Errors
    /// A call that EC2 refused; what it did not find is a problem in the answer instead.
    pub async fn resolve(&mut self, class: &NodeClass) -> Result<ResolvedClass, CloudError> {
        let mut out = ResolvedClass {
            instance_profile: profiles::name(self.settings, class),
            ..ResolvedClass::default()
        };
        self.images(class, &mut out).await?;
        if self.settings.reserved_capacity {
            let terms = &class.spec.capacity_reservation_selector_terms;
            out.reservations = reservations::resolve(self.read, terms, self.stock, self.now).await?;
        }
        self.subnets(class, &mut out).await?;
        self.security_groups(class, &mut out).await?;
        self.validate(class, &mut out);
        Ok(out)
    }

    async fn subnets(&self, class: &NodeClass, out: &mut ResolvedClass) -> Result<(), CloudError> {
        let terms = class
            .spec
            .subnet_selector_terms
            .iter()
            .map(|t| (t.id.as_deref(), None, &t.tags));
        let mut found = BTreeMap::new();
        for filters in selector_calls("subnet-id", "", terms) {
            let subnets = self.read.describe_subnets(filters).await;
            for subnet in subnets.map_err(api_error("DescribeSubnets"))? {
                found.insert(subnet.subnet_id.clone(), subnet);
            }
        }
        out.subnets = found
            .into_values()
            .map(|s| {
                self.stock.described(&s.subnet_id, s.available_ip_address_count);
                ResolvedSubnet {
                    id: s.subnet_id,
                    zone: s.availability_zone,
                    zone_id: s.availability_zone_id,
                    free: s.available_ip_address_count,
                }
            })
            .collect();
        out.subnets.sort_by(|a, b| (b.free, &a.id).cmp(&(a.free, &b.id)));
        if out.subnets.is_empty() {
            let message = "no subnet matches spec.subnetSelectorTerms".to_owned();
            out.problems
                .push((names::SUBNETS_READY.into(), "SubnetsNotFound".into(), message));
        }
        Ok(())
    }

    async fn security_groups(&self, class: &NodeClass, out: &mut ResolvedClass) -> Result<(), CloudError> {
        let terms = class
            .spec
            .security_group_selector_terms
            .iter()
            .map(|t| (t.id.as_deref(), t.name.as_deref(), &t.tags));
        let mut found = BTreeMap::new();
        for filters in selector_calls("group-id", "group-name", terms) {
            let groups = self.read.describe_security_groups(filters).await;
            for group in groups.map_err(api_error("DescribeSecurityGroups"))? {
                found.insert(group.group_id, group.group_name);
            }
        }
        out.security_groups = found.into_iter().collect();
        if out.security_groups.is_empty() {
            let message = "no security group matches spec.securityGroupSelectorTerms".to_owned();
            out.problems.push((
                names::SECURITY_GROUPS_READY.into(),
                "SecurityGroupsNotFound".into(),
                message,
            ));
        }
        Ok(())
    }

    async fn images(&mut self, class: &NodeClass, out: &mut ResolvedClass) -> Result<(), CloudError> {
        let spec = &class.spec;
        let kubernetes = self.settings.kubernetes_version.clone();
        let mut variants: BTreeMap<Name, Vec<Variant>> = BTreeMap::new();
        let mut own: Vec<Name> = Vec::new();
        if let Some((family, version)) = spec.alias() {
            if images::alias_unsupported(family, &kubernetes) {
                let message = format!("{family}@{version} is not built for Kubernetes {kubernetes}");
                out.problems
                    .push((names::AMIS_READY.into(), "UnsupportedAlias".into(), message));
                return Ok(());
            }
            for (path, variant) in images::alias_parameters(family, version, &kubernetes) {
                if let Some(id) = self.parameter(path, ALIAS_AGE).await? {
                    variants.entry(id).or_default().push(variant);
                }
            }
        }
        for path in images::own_parameters(spec) {
            match self.parameter(path.to_owned(), OWN_AGE).await? {
                Some(id) if id.starts_with("ami-") => own.push(id),
                _ => {}
            }
        }
        let mut queries = images::queries(&spec.ami_selector_terms, &own);
        if !variants.is_empty() {
            queries.push(images::ids_query(variants.keys().cloned().collect()));
        }
        let mut found = Vec::new();
        for query in queries {
            let answer = self.read.describe_images(query.owners, query.filters).await;
            for image in answer.map_err(api_error("DescribeImages"))? {
                match variants.get(&image.image_id) {
                    Some(of) => found.extend(of.iter().map(|variant| Found {
                        image: image.clone(),
                        variant: *variant,
                    })),
                    None => found.push(Found {
                        image,
                        variant: Variant::Any,
                    }),
                }
            }
        }
        self.doubt_deprecated(&found);
        out.images = images::choose(found, self.now);
        if out.images.is_empty() {
            let message = match spec.alias() {
                Some((family, version)) => {
                    format!("no image is published for {family}@{version} on Kubernetes {kubernetes}")
                }
                None => "no image matches spec.amiSelectorTerms".to_owned(),
            };
            out.problems
                .push((names::AMIS_READY.into(), "AMINotFound".into(), message));
        }
        Ok(())
    }

    /// Values that name deprecated images are asked for again sooner: a newer image is mostly there.
    fn doubt_deprecated(&mut self, found: &[Found]) {
        let soon = self.now.checked_add(DEPRECATED_AGE).unwrap_or(Timestamp::MAX);
        for one in found.iter().filter(|f| f.image.is_deprecated(self.now)) {
            for (value, until) in self.parameters.values_mut() {
                if value.as_ref() == Some(&one.image.image_id) {
                    *until = soon.min(*until);
                }
            }
        }
    }

    /// A parameter's value; `None` when there is none.
    async fn parameter(&mut self, path: String, age: Duration) -> Result<Option<Name>, CloudError> {
        if let Some((value, until)) = self.parameters.get(&path)
            && *until > self.now
        {
            return Ok(value.clone());
        }
        let value = match self.read.get_parameter(path.clone()).await {
            Ok(value) => Some(Name::from(value)),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(api_error("GetParameter")(error)),
        };
        // A parameter that is not there yet may appear any time: it is asked for again soon.
        let age = if value.is_some() { age } else { OWN_AGE.min(age) };
        let until = self.now.checked_add(age).unwrap_or(Timestamp::MAX);
        self.parameters.insert(path, (value.clone(), until));
        Ok(value)
    }

    /// `aws §2.3`, the checks that call nothing.
    fn validate(&self, class: &NodeClass, out: &mut ResolvedClass) {
        let mut problem = |reason: &str, message: String| {
            out.problems
                .push((names::VALIDATION_SUCCEEDED.into(), reason.into(), message));
        };
        if Family::of(class.spec.family()) == Family::Al2023 && self.settings.cluster_cidr.is_empty() {
            problem(
                "ClusterCIDRResolutionFailed",
                "the service CIDR of the cluster is not known; AL2023 nodes need it".to_owned(),
            );
        } else if let Some(key) = class.spec.tags.keys().find(|k| restricted_tag(k)) {
            problem(
                "TagValidationFailed",
                format!("spec.tags may not hold {key}: it is set at launch"),
            );
        }
    }
}

/// Tags that launches set themselves (`aws §9.5`).
pub fn restricted_tag(key: &str) -> bool {
    key.starts_with(names::TAG_CLUSTER_PREFIX)
        || [
            names::TAG_NODEPOOL,
            names::TAG_CLUSTER,
            names::TAG_NODECLASS,
            names::TAG_NODECLAIM,
            names::TAG_TOKEN,
        ]
        .contains(&key)
}

/// `aws §2.1`: one call a tag term, one for all ids, one for all names.
fn selector_calls<'a>(
    id_filter: &str,
    name_filter: &str,
    terms: impl Iterator<Item = (Option<&'a str>, Option<&'a str>, &'a BTreeMap<String, String>)>,
) -> Vec<Vec<Filter>> {
    let (mut ids, mut group_names, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for (id, name, tags) in terms {
        match (id, name) {
            (Some(id), _) => ids.push(id),
            (None, Some(name)) => group_names.push(name),
            (None, None) if !tags.is_empty() => calls.push(images::tag_filters(tags)),
            (None, None) => {}
        }
    }
    for (filter, values) in [(id_filter, ids), (name_filter, group_names)] {
        if !values.is_empty() {
            calls.push(vec![Filter::new(filter, values)]);
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    /// `aws §26` cases 1 and 2.
    #[test]
    fn cases_1_and_2_terms_become_calls() {
        let (both, any, none) = (
            tags(&[("team", "shop"), ("tier", "*")]),
            tags(&[("x", "y")]),
            tags(&[]),
        );
        let calls = selector_calls(
            "group-id",
            "group-name",
            [
                (None, None, &both),
                (Some("sg-1"), None, &none),
                (None, Some("nodes"), &none),
                (None, None, &any),
                (Some("sg-2"), None, &none),
            ]
            .into_iter(),
        );
        assert_eq!(
            calls,
            [
                vec![
                    Filter::new("tag:team", ["shop"]),
                    Filter::new("tag-key", ["tier"])
                ],
                vec![Filter::new("tag:x", ["y"])],
                vec![Filter::new("group-id", ["sg-1", "sg-2"])],
                vec![Filter::new("group-name", ["nodes"])],
            ]
        );
    }

    #[test]
    fn tags_of_ours_are_restricted() {
        for key in [
            "kubernetes.io/cluster/x",
            "karpenter.sh/nodepool",
            "karpenter.sh/nodeclaim",
        ] {
            assert!(restricted_tag(key), "{key}");
        }
        assert!(!restricted_tag("team"));
    }
}
