//! On-demand prices from the Pricing service (`aws §8`).

use std::collections::BTreeMap;

use aws_sdk_pricing::types::{Filter, FilterType};
use serde::Deserialize;

use super::error;
use super::pace::{Class, Pace};
use crate::cloud::aws::api::Ec2Error;
use crate::model::{Name, UsdPerHour};

const PAGE: i32 = 100;
/// Tenancy and product family of the two lists: machines, and bare metal.
const LISTS: [(&str, &str); 2] = [
    ("Shared", "Compute Instance"),
    ("Dedicated", "Compute Instance (bare metal)"),
];

/// The region that serves prices of `region`: the service is in few places only.
pub(super) fn endpoint_region(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("ap") => "ap-south-1",
        Some("cn") => "cn-northwest-1",
        Some("eu") => "eu-central-1",
        _ => "us-east-1",
    }
}

#[derive(Debug)]
pub(super) struct PriceList {
    /// Of [`endpoint_region`].
    pub client: aws_sdk_pricing::Client,
    pub region: Name,
}

impl PriceList {
    /// Both lists.
    ///
    /// # Errors
    /// A refused call, and a list without prices: half an answer must not look like a whole one.
    pub(super) async fn on_demand(&self, pace: &Pace) -> Result<Vec<(Name, UsdPerHour)>, Ec2Error> {
        let mut prices = BTreeMap::new();
        for (tenancy, family) in LISTS {
            let before = prices.len();
            self.list(tenancy, family, pace, &mut prices).await?;
            if prices.len() == before {
                let message = format!("no prices of {family} in {}", self.region);
                return Err(Ec2Error::new("NoPrices", message));
            }
        }
        Ok(prices.into_iter().collect())
    }

    async fn list(
        &self,
        tenancy: &str,
        family: &str,
        pace: &Pace,
        prices: &mut BTreeMap<Name, UsdPerHour>,
    ) -> Result<(), Ec2Error> {
        let filters = [
            ("regionCode", &*self.region),
            ("serviceCode", "AmazonEC2"),
            ("preInstalledSw", "NA"),
            ("operatingSystem", "Linux"),
            ("capacitystatus", "Used"),
            ("marketoption", "OnDemand"),
            ("tenancy", tenancy),
            ("productFamily", family),
        ];
        let filters: Result<Vec<Filter>, _> = filters
            .into_iter()
            .map(|(field, value)| term(field, value))
            .collect();
        let filters = filters.map_err(|e| Ec2Error::new(error::BAD_REQUEST, e.to_string()))?;
        let currency = if self.region.starts_with("cn-") {
            "CNY"
        } else {
            "USD"
        };
        let request = self
            .client
            .get_products()
            .service_code("AmazonEC2")
            .set_filters(Some(filters))
            .max_results(PAGE);
        let mut token: Option<String> = None;
        loop {
            pace.wait(Class::Describe).await;
            let sent = request.clone().set_next_token(token.clone()).send().await;
            let page = sent.map_err(|e| error::of(&e))?;
            // Each entry carries every reservation term: a page is read and dropped before the next.
            for entry in page.price_list.unwrap_or_default() {
                prices.extend(price(&entry, currency));
            }
            let next = page.next_token.filter(|t| !t.is_empty());
            if next.is_none() || next == token {
                return Ok(());
            }
            token = next;
        }
    }
}

fn term(field: &str, value: &str) -> Result<Filter, aws_sdk_pricing::error::BuildError> {
    Filter::builder()
        .r#type(FilterType::TermMatch)
        .field(field)
        .value(value)
        .build()
}

#[derive(Deserialize)]
struct Entry {
    product: Product,
    terms: Terms,
}

#[derive(Deserialize)]
struct Product {
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    instance_type: Name,
}

#[derive(Deserialize)]
struct Terms {
    #[serde(rename = "OnDemand", default)]
    on_demand: BTreeMap<String, Term>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    price_dimensions: BTreeMap<String, Dimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dimension {
    price_per_unit: BTreeMap<String, String>,
}

/// The price in one entry of a list; zero ones and those of other currencies are none.
fn price(entry: &str, currency: &str) -> Option<(Name, UsdPerHour)> {
    let entry: Entry = serde_json::from_str(entry).ok()?;
    let dimensions = entry
        .terms
        .on_demand
        .values()
        .flat_map(|t| t.price_dimensions.values());
    let mut prices = dimensions.filter_map(|d| d.price_per_unit.get(currency)?.parse::<f64>().ok());
    let price = prices.rfind(|p| p.is_finite() && *p > 0.0)?;
    Some((
        entry.product.attributes.instance_type,
        UsdPerHour::from_f64(price),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(currency: &str, amount: &str) -> String {
        format!(
            r#"{{"product":{{"productFamily":"Compute Instance","attributes":{{"instanceType":"m5.large","vcpu":"2"}},"sku":"X"}},
                "terms":{{"OnDemand":{{"X.Y":{{"priceDimensions":{{"X.Y.Z":{{"unit":"Hrs","pricePerUnit":{{"{currency}":"{amount}"}}}}}}}}}},
                "Reserved":{{"X.R":{{"priceDimensions":{{}}}}}}}}}}"#
        )
    }

    #[test]
    fn an_entry_gives_its_price_to_the_last_digit() {
        let got = price(&entry("USD", "0.0960000000"), "USD").expect("price");
        assert_eq!(got, ("m5.large".into(), UsdPerHour(96_000_000_000)));
        assert_eq!(
            price(&entry("USD", "0.0000000000"), "USD"),
            None,
            "zero is no price"
        );
        assert_eq!(price(&entry("CNY", "1.5"), "USD"), None);
        assert!(price(&entry("CNY", "1.5"), "CNY").is_some());
        assert_eq!(price("{}", "USD"), None);
    }

    #[test]
    fn prices_are_asked_for_where_the_service_is() {
        for (region, want) in [
            ("us-west-2", "us-east-1"),
            ("ca-central-1", "us-east-1"),
            ("ap-southeast-2", "ap-south-1"),
            ("eu-west-1", "eu-central-1"),
            ("cn-north-1", "cn-northwest-1"),
        ] {
            assert_eq!(endpoint_region(region), want);
        }
    }
}
