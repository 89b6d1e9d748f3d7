//! Types and offerings with their prices (`aws §23`).

use std::collections::BTreeSet;

use super::gauges::amount;
use super::page::Page;
use crate::ledger::View;
use crate::model::resources::{CPU, MEMORY};

/// What several classes know alike is told once.
pub fn put(view: &View, page: &mut Page) {
    let mut told = BTreeSet::new();
    for catalogue in view.snapshot.catalogues.values() {
        for kind in catalogue.distinct() {
            if !told.insert(kind.name.clone()) {
                continue;
            }
            let name = [("instance_type", &*kind.name)];
            page.gauge(
                "karpenter_cloudprovider_instance_type_cpu_cores",
                "Cores of an instance type.",
                &name,
                amount(CPU, kind.capacity.cpu),
            );
            page.gauge(
                "karpenter_cloudprovider_instance_type_memory_bytes",
                "Memory of an instance type.",
                &name,
                amount(MEMORY, kind.capacity.memory),
            );
            let mut places = BTreeSet::new();
            for offering in &kind.offerings {
                if !places.insert((offering.capacity_type, offering.zone.clone())) {
                    continue;
                }
                let labels = [
                    ("instance_type", &*kind.name),
                    ("capacity_type", offering.capacity_type.as_str()),
                    ("zone", &*offering.zone),
                ];
                page.gauge(
                    "karpenter_cloudprovider_instance_type_offering_available",
                    "Whether an offering can be had.",
                    &labels,
                    f64::from(u8::from(offering.available)),
                );
                page.gauge(
                    "karpenter_cloudprovider_instance_type_offering_price_estimate",
                    "Dollars an hour of an offering.",
                    &labels,
                    offering.price.as_f64(),
                );
            }
        }
    }
}
