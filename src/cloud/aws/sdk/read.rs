//! The reading half.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ec2::types::LocationType;

use super::convert::{filters as sdk_filters, sdk_time, strings};
use super::pace::{Class, Pace};
use super::prices::PriceList;
use super::{describe, error};
use crate::clock::Clock;
use crate::cloud::aws::api::{
    Call, CapacityReservation, Ec2Error, Ec2Read, Filter, Image, Instance, InstanceStatus, InstanceTypeInfo,
    LaunchTemplate, SecurityGroup, SpotPrice, Subnet, TypeOffering,
};
use crate::model::{Name, UsdPerHour};

/// Entries a page, as large as each call allows (`aws §2.1`, `§15`).
const TYPES_PAGE: i32 = 100;
const PAGE: i32 = 500;
const LARGE_PAGE: i32 = 1000;
/// Spot prices of these count as prices of Linux machines (`aws §8`).
const LINUX: [&str; 2] = ["Linux/UNIX", "Linux/UNIX (Amazon VPC)"];

/// `Ec2Read` over the SDK.
#[derive(Debug)]
pub(super) struct SdkRead {
    pub ec2: aws_sdk_ec2::Client,
    pub ssm: aws_sdk_ssm::Client,
    pub prices: PriceList,
    pub pace: Arc<Pace>,
    pub clock: Clock,
}

/// Everything that a describe call answers, page by page; each page is a call of its own. An answer that points to
/// itself as the next page is the last.
macro_rules! whole {
    ($read:expr, $request:expr, $items:ident) => {{
        let request = $request;
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            $read.pace.wait(Class::Describe).await;
            let sent = request.clone().set_next_token(token.clone()).send().await;
            let page = sent.map_err(|e| error::of(&e))?;
            items.extend(page.$items.unwrap_or_default());
            let next = page.next_token.filter(|t| !t.is_empty());
            if next.is_none() || next == token {
                break items;
            }
            token = next;
        }
    }};
}

impl SdkRead {
    async fn templates(
        &self,
        names: Option<Vec<String>>,
        filters: Vec<Filter>,
    ) -> Result<Vec<LaunchTemplate>, Ec2Error> {
        let request = self
            .ec2
            .describe_launch_templates()
            .set_launch_template_names(names)
            .set_filters(sdk_filters(&filters));
        let found = whole!(self, request, launch_templates);
        Ok(found.into_iter().map(describe::launch_template).collect())
    }

    /// The newest price of each pool.
    async fn spot_prices(&self) -> Result<Vec<SpotPrice>, Ec2Error> {
        let request = self
            .ec2
            .describe_spot_price_history()
            .start_time(sdk_time(self.clock.now()))
            .set_product_descriptions(Some(LINUX.map(str::to_owned).to_vec()))
            .max_results(LARGE_PAGE);
        let records = whole!(self, request, spot_price_history);
        let mut newest: BTreeMap<(Name, Name), (i64, SpotPrice)> = BTreeMap::new();
        for (at, price) in records.into_iter().filter_map(describe::spot_price) {
            let pool = (price.instance_type.clone(), price.availability_zone.clone());
            if newest.get(&pool).is_none_or(|(known, _)| *known < at) {
                newest.insert(pool, (at, price));
            }
        }
        Ok(newest.into_values().map(|(_, price)| price).collect())
    }
}

impl Ec2Read for SdkRead {
    fn describe_instance_types(&self, filters: Vec<Filter>) -> Call<'_, Vec<InstanceTypeInfo>> {
        Box::pin(async move {
            let request = self
                .ec2
                .describe_instance_types()
                .set_filters(sdk_filters(&filters))
                .max_results(TYPES_PAGE);
            let found = whole!(self, request, instance_types);
            Ok(found.into_iter().filter_map(describe::instance_type).collect())
        })
    }

    fn describe_instance_type_offerings(&self) -> Call<'_, Vec<TypeOffering>> {
        Box::pin(async move {
            let request = self
                .ec2
                .describe_instance_type_offerings()
                .location_type(LocationType::AvailabilityZone)
                .max_results(LARGE_PAGE);
            let found = whole!(self, request, instance_type_offerings);
            Ok(found.into_iter().filter_map(describe::offering).collect())
        })
    }

    fn describe_subnets(&self, filters: Vec<Filter>) -> Call<'_, Vec<Subnet>> {
        Box::pin(async move {
            let request = self
                .ec2
                .describe_subnets()
                .set_filters(sdk_filters(&filters))
                .max_results(PAGE);
            let found = whole!(self, request, subnets);
            Ok(found.into_iter().map(describe::subnet).collect())
        })
    }

    fn describe_security_groups(&self, filters: Vec<Filter>) -> Call<'_, Vec<SecurityGroup>> {
        Box::pin(async move {
            let request = self
                .ec2
                .describe_security_groups()
                .set_filters(sdk_filters(&filters))
                .max_results(PAGE);
            let found = whole!(self, request, security_groups);
            Ok(found.into_iter().map(describe::security_group).collect())
        })
    }

    fn describe_images(&self, owners: Vec<Name>, filters: Vec<Filter>) -> Call<'_, Vec<Image>> {
        Box::pin(async move {
            let owners = (!owners.is_empty()).then(|| strings(&owners));
            let request = self
                .ec2
                .describe_images()
                .include_deprecated(true)
                .set_owners(owners)
                .set_filters(sdk_filters(&filters))
                .max_results(PAGE);
            let found = whole!(self, request, images);
            Ok(found.into_iter().map(describe::image).collect())
        })
    }

    fn get_parameter(&self, name: String) -> Call<'_, String> {
        Box::pin(async move {
            self.pace.wait(Class::Describe).await;
            let sent = self.ssm.get_parameter().name(&name).send().await;
            let answer = sent.map_err(|e| error::of(&e))?;
            let value = answer.parameter.and_then(|p| p.value);
            value.ok_or_else(|| Ec2Error::new("ParameterNotFound", format!("Parameter {name} has no value.")))
        })
    }

    fn describe_spot_price_history(&self) -> Call<'_, Vec<SpotPrice>> {
        Box::pin(self.spot_prices())
    }

    fn on_demand_prices(&self) -> Call<'_, Vec<(Name, UsdPerHour)>> {
        Box::pin(self.prices.on_demand(&self.pace))
    }

    fn describe_instances(&self, filters: Vec<Filter>) -> Call<'_, Vec<Instance>> {
        Box::pin(async move {
            let request = self
                .ec2
                .describe_instances()
                .set_filters(sdk_filters(&filters))
                .max_results(LARGE_PAGE);
            let found = whole!(self, request, reservations);
            let instances = found.into_iter().flat_map(|r| r.instances.unwrap_or_default());
            Ok(instances.map(describe::instance).collect())
        })
    }

    fn describe_capacity_reservations(
        &self,
        ids: Vec<Name>,
        filters: Vec<Filter>,
    ) -> Call<'_, Vec<CapacityReservation>> {
        Box::pin(async move {
            let ids = (!ids.is_empty()).then(|| strings(&ids));
            let request = self
                .ec2
                .describe_capacity_reservations()
                .set_capacity_reservation_ids(ids)
                .set_filters(sdk_filters(&filters));
            let found = whole!(self, request, capacity_reservations);
            Ok(found.into_iter().map(describe::reservation).collect())
        })
    }

    fn describe_instance_status(&self, filters: Vec<Filter>) -> Call<'_, Vec<InstanceStatus>> {
        Box::pin(async move {
            let request = self
                .ec2
                .describe_instance_status()
                .set_filters(sdk_filters(&filters))
                .max_results(LARGE_PAGE);
            let found = whole!(self, request, instance_statuses);
            Ok(found.into_iter().map(describe::status).collect())
        })
    }

    fn describe_launch_template(&self, name: Name) -> Call<'_, LaunchTemplate> {
        Box::pin(async move {
            let found = self.templates(Some(vec![name.to_string()]), Vec::new()).await?;
            found.into_iter().next().ok_or_else(|| {
                let message = format!("no launch template {name} in the answer");
                Ec2Error::new("InvalidLaunchTemplateName.NotFoundException", message)
            })
        })
    }

    fn describe_launch_templates(&self, filters: Vec<Filter>) -> Call<'_, Vec<LaunchTemplate>> {
        Box::pin(self.templates(None, filters))
    }
}
