//! A catalogue compiled for filtering: one bit a type, so that a filter is a handful of ANDs (house, "Data that
//! flows").

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::resources::{CPU, EPHEMERAL, MEMORY, PODS};
use super::{CapacityType, InstanceType, Name, Offering, Requirement, Requirements, Resources, UsdPerHour};
use crate::api::names;

/// So many groups of offerings are compared before they are looked up.
const FEW: usize = 32;

/// Bit `i` is the catalogue's type `i`.
#[derive(Debug, Default)]
pub struct Index {
    count: usize,
    keys: BTreeMap<Name, KeyBits>,
    /// Offerings that pin the same zone, capacity type and further labels, for all types together.
    pub groups: Vec<OfferingGroup>,
    /// Every key that some offering pins.
    pub offering_keys: BTreeSet<Name>,
    fixed: [Thresholds; 4],
    extended: BTreeMap<Name, Thresholds>,
    /// What a pod may use of each type.
    pub allocatable: Vec<Resources>,
    /// Types without a negative allocatable entry (`scheduling §8.2`).
    sound: FixedBitSet,
}

/// One label key over all types.
#[derive(Debug)]
struct KeyBits {
    /// Value → types that list it.
    values: BTreeMap<Name, Vec<u32>>,
    /// Types that say nothing about the key.
    undefined: FixedBitSet,
    /// Types whose own requirement is met by a label that is not there.
    absent: FixedBitSet,
    /// Types with an open requirement (`Exists`, `NotIn`, bounds).
    open: Vec<(u32, Requirement)>,
}

/// All offerings of one (zone, capacity type, further pins).
#[derive(Debug)]
pub struct OfferingGroup {
    pub requirements: Requirements,
    pub zone: Name,
    pub capacity_type: CapacityType,
    /// Types that have it, whether there is capacity or not.
    pub listed: FixedBitSet,
    pub available: FixedBitSet,
    /// By type; `UsdPerHour::MAX` where the type lacks it.
    pub prices: Vec<UsdPerHour>,
    /// Free instances by type, for reservations.
    pub reservation: BTreeMap<u32, i64>,
}

/// Types by how much of one resource they have, ascending: `(amount, types with at least that)`.
#[derive(Debug, Default)]
struct Thresholds(Vec<(i64, FixedBitSet)>);

impl Thresholds {
    fn new(count: usize, amounts: impl Iterator<Item = i64>) -> Self {
        let mut sorted: Vec<(i64, usize)> = amounts.enumerate().map(|(i, v)| (v, i)).collect();
        sorted.sort_unstable();
        let mut steps: Vec<(i64, FixedBitSet)> = Vec::new();
        let mut bits = FixedBitSet::with_capacity(count);
        let mut iter = sorted.into_iter().rev().peekable();
        while let Some((value, i)) = iter.next() {
            bits.insert(i);
            if iter.peek().is_none_or(|(next, _)| *next != value) {
                steps.push((value, bits.clone()));
            }
        }
        steps.reverse();
        Self(steps)
    }

    /// Types with at least `wanted`; `None` when no type has so much.
    fn at_least(&self, wanted: i64) -> Option<&FixedBitSet> {
        let at = self.0.partition_point(|(value, _)| *value < wanted);
        self.0.get(at).map(|(_, bits)| bits)
    }

    fn most(&self) -> i64 {
        self.0.last().map_or(0, |(value, _)| *value)
    }
}

#[allow(clippy::cast_possible_truncation)]
fn short(i: usize) -> u32 {
    // A catalogue has a few thousand types.
    i as u32
}

impl Index {
    pub fn new<'a>(types: impl ExactSizeIterator<Item = &'a InstanceType> + Clone) -> Self {
        let count = types.len();
        let allocatable: Vec<Resources> = types.clone().map(InstanceType::allocatable).collect();
        let mut out = Self {
            count,
            keys: keys(count, types.clone()),
            ..Self::default()
        };
        out.add_offerings(types);
        out.sound = FixedBitSet::with_capacity(count);
        for (i, have) in allocatable.iter().enumerate() {
            out.sound.set(i, Resources::default().fits(have));
        }
        for (slot, key) in [CPU, MEMORY, PODS, EPHEMERAL].into_iter().enumerate() {
            out.fixed[slot] = Thresholds::new(count, allocatable.iter().map(|a| a.get(key)));
        }
        let extended: BTreeSet<Name> = allocatable
            .iter()
            .flat_map(|a| a.extended.keys().cloned())
            .collect();
        for key in extended {
            let steps = Thresholds::new(count, allocatable.iter().map(|a| a.get(&key)));
            out.extended.insert(key, steps);
        }
        out.allocatable = allocatable;
        out
    }

    fn add_offerings<'a>(&mut self, types: impl Iterator<Item = &'a InstanceType>) {
        let mut ids: BTreeMap<Requirements, usize> = BTreeMap::new();
        // Types list their offerings in one order, so that the group after the last one is the likely next.
        let mut sources: Vec<&Offering> = Vec::new();
        let mut guess = 0;
        for (i, kind) in types.enumerate() {
            for offering in &kind.offerings {
                let same = |o: &&Offering| {
                    o.zone == offering.zone
                        && o.capacity_type == offering.capacity_type
                        && o.requirements == offering.requirements
                };
                let guessed = sources.get(guess).filter(|o| same(o)).map(|_| guess);
                let few = || sources.iter().take(FEW).position(&same);
                let id = guessed.or_else(few).unwrap_or_else(|| {
                    let id = self.group_of(&mut ids, offering);
                    if id == sources.len() {
                        sources.push(offering);
                    }
                    id
                });
                guess = if id + 1 < sources.len() { id + 1 } else { 0 };
                let group = &mut self.groups[id];
                group.listed.insert(i);
                let has = group.available.contains(i);
                if offering.available && !has {
                    group.prices[i] = offering.price;
                } else if offering.available || !has {
                    group.prices[i] = group.prices[i].min(offering.price);
                }
                if offering.available {
                    group.available.insert(i);
                }
                if offering.capacity_type == CapacityType::Reserved {
                    group.reservation.insert(short(i), offering.reservation_capacity);
                }
            }
        }
    }

    /// The number of the group with an offering's pins.
    fn group_of(&mut self, ids: &mut BTreeMap<Requirements, usize>, offering: &Offering) -> usize {
        let mut pins = offering.requirements.clone();
        pins.add(Requirement::is_in(names::ZONE, [offering.zone.clone()]));
        pins.add(Requirement::is_in(
            names::CAPACITY_TYPE,
            [offering.capacity_type.as_str()],
        ));
        let next = self.groups.len();
        *ids.entry(pins).or_insert_with_key(|pins| {
            self.offering_keys.extend(pins.0.keys().cloned());
            self.groups.push(OfferingGroup {
                requirements: pins.clone(),
                zone: offering.zone.clone(),
                capacity_type: offering.capacity_type,
                listed: FixedBitSet::with_capacity(self.count),
                available: FixedBitSet::with_capacity(self.count),
                prices: vec![UsdPerHour::MAX; self.count],
                reservation: BTreeMap::new(),
            });
            next
        })
    }

    /// How many types.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn none(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.count)
    }

    pub fn all(&self) -> FixedBitSet {
        let mut out = self.none();
        out.insert_range(..);
        out
    }

    /// Every label key that some type speaks about.
    pub fn label_keys(&self) -> impl Iterator<Item = &Name> {
        self.keys.keys()
    }

    /// Values that some type lists for a key.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &Name> {
        self.keys.get(key).into_iter().flat_map(|k| k.values.keys())
    }

    /// Types whose own requirements do not contradict `requirement` (`scheduling §13.2`, compat, one key).
    pub fn matching(&self, requirement: &Requirement) -> FixedBitSet {
        let Some(key) = self.keys.get(&requirement.key) else {
            return self.all();
        };
        let mut out = key.undefined.clone();
        if requirement.allows_absence() {
            out.union_with(&key.absent);
        }
        if requirement.complement {
            for (value, types) in &key.values {
                if requirement.has(value) {
                    out.extend(types.iter().map(|i| *i as usize));
                }
            }
        } else {
            for types in requirement.values.iter().filter_map(|v| key.values.get(v)) {
                out.extend(types.iter().map(|i| *i as usize));
            }
        }
        for (i, own) in &key.open {
            if own.has_intersection(requirement) {
                out.insert(*i as usize);
            }
        }
        out
    }

    /// Removes the types that cannot hold `requests`.
    pub fn retain_fitting(&self, requests: &Resources, types: &mut FixedBitSet) {
        types.intersect_with(&self.sound);
        for (slot, wanted) in [requests.cpu, requests.memory, requests.pods, requests.ephemeral]
            .into_iter()
            .enumerate()
        {
            if wanted > 0 {
                keep(types, self.fixed[slot].at_least(wanted));
            }
        }
        for (key, wanted) in &requests.extended {
            if *wanted > 0 {
                keep(types, self.extended.get(key).and_then(|t| t.at_least(*wanted)));
            }
        }
    }

    /// The most that any type has of a resource.
    pub fn most(&self, resource: &str) -> i64 {
        match resource {
            CPU => self.fixed[0].most(),
            MEMORY => self.fixed[1].most(),
            PODS => self.fixed[2].most(),
            EPHEMERAL => self.fixed[3].most(),
            other => self.extended.get(other).map_or(0, Thresholds::most),
        }
    }

    /// The offering groups (by position) that a claim with these requirements may use.
    pub fn compatible_groups(
        &self,
        requirements: &Requirements,
        well_known: impl Fn(&str) -> bool + Copy,
    ) -> FixedBitSet {
        let mut out = FixedBitSet::with_capacity(self.groups.len());
        for (i, group) in self.groups.iter().enumerate() {
            if requirements.compatible(&group.requirements, well_known).is_ok() {
                out.insert(i);
            }
        }
        out
    }

    /// Types with an available offering in one of `groups`.
    pub fn offered(&self, groups: &FixedBitSet) -> FixedBitSet {
        let mut out = self.none();
        for group in groups.ones().filter_map(|g| self.groups.get(g)) {
            out.union_with(&group.available);
        }
        out
    }

    /// Types with an offering in one of `groups`, available or not.
    pub fn listed(&self, groups: &FixedBitSet) -> FixedBitSet {
        let mut out = self.none();
        for group in groups.ones().filter_map(|g| self.groups.get(g)) {
            out.union_with(&group.listed);
        }
        out
    }

    /// The cheapest available offering of a type among `groups`: price, then zone, then capacity type.
    pub fn cheapest(&self, kind: usize, groups: &FixedBitSet) -> Option<(UsdPerHour, &OfferingGroup)> {
        groups
            .ones()
            .filter_map(|g| self.groups.get(g))
            .filter(|g| g.available.contains(kind))
            .filter_map(|g| g.prices.get(kind).map(|p| (*p, g)))
            .min_by(|(p, a), (q, b)| (p, &a.zone, a.capacity_type).cmp(&(q, &b.zone, b.capacity_type)))
    }

    /// All types by the price of their cheapest available offering among `groups`, then by name; types without one
    /// come last with `UsdPerHour::MAX` (`scheduling §13.4`).
    pub fn by_price(&self, groups: &FixedBitSet) -> Vec<(UsdPerHour, u32)> {
        let mut prices = vec![UsdPerHour::MAX; self.count];
        for group in groups.ones().filter_map(|g| self.groups.get(g)) {
            for i in group.available.ones() {
                prices[i] = prices[i].min(group.prices[i]);
            }
        }
        let mut out: Vec<(UsdPerHour, u32)> = prices
            .into_iter()
            .enumerate()
            .map(|(i, p)| (p, short(i)))
            .collect();
        // Types are in name order, so the position breaks ties by name.
        out.sort_unstable();
        out
    }
}

fn keep(types: &mut FixedBitSet, those: Option<&FixedBitSet>) {
    match those {
        Some(bits) => types.intersect_with(bits),
        None => types.clear(),
    }
}

fn keys<'a>(count: usize, types: impl Iterator<Item = &'a InstanceType>) -> BTreeMap<Name, KeyBits> {
    let mut keys: BTreeMap<Name, KeyBits> = BTreeMap::new();
    for (i, kind) in types.enumerate() {
        for requirement in kind.requirements.iter() {
            let key = keys.entry(requirement.key.clone()).or_insert_with(|| {
                let mut undefined = FixedBitSet::with_capacity(count);
                undefined.insert_range(..);
                KeyBits {
                    values: BTreeMap::new(),
                    undefined,
                    absent: FixedBitSet::with_capacity(count),
                    open: Vec::new(),
                }
            });
            key.undefined.remove(i);
            key.absent.set(i, requirement.allows_absence());
            if requirement.complement {
                key.open.push((short(i), requirement.clone()));
            } else {
                for value in &requirement.values {
                    key.values.entry(value.clone()).or_default().push(short(i));
                }
            }
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Offering, Operator};

    fn kind(name: &str, cpu: i64, extra: &[Requirement]) -> InstanceType {
        let mut requirements: Requirements = extra.iter().cloned().collect();
        requirements.add(Requirement::is_in(names::INSTANCE_TYPE, [name]));
        InstanceType {
            name: name.into(),
            requirements,
            capacity: Resources {
                cpu,
                memory: 8 << 30,
                pods: 10,
                ..Resources::default()
            },
            overhead: Resources::default(),
            offerings: vec![Offering {
                zone: "z1".into(),
                capacity_type: CapacityType::OnDemand,
                price: UsdPerHour(cpu),
                available: true,
                requirements: Requirements::default(),
                reservation_capacity: 0,
                overrides: None,
            }],
        }
    }

    #[test]
    fn matching_agrees_with_the_algebra() {
        let types = [
            kind("a", 1000, &[Requirement::is_in("k", ["1", "2"])]),
            kind(
                "b",
                2000,
                &[Requirement::new::<Name>("k", Operator::DoesNotExist, [])],
            ),
            kind("c", 4000, &[]),
            kind("d", 8000, &[Requirement::new("k", Operator::NotIn, ["1"])]),
            kind("e", 9000, &[Requirement::exists("k")]),
            kind("f", 9000, &[Requirement::new("k", Operator::Gt, ["5"])]),
        ];
        let index = Index::new(types.iter());
        for wanted in [
            Requirement::is_in("k", ["1"]),
            Requirement::is_in("k", ["9"]),
            Requirement::new("k", Operator::NotIn, ["1"]),
            Requirement::exists("k"),
            Requirement::new::<Name>("k", Operator::DoesNotExist, []),
            Requirement::new("k", Operator::Lt, ["2"]),
            Requirement::new("k", Operator::Gte, ["2"]),
            Requirement::is_in(names::INSTANCE_TYPE, ["a", "f"]),
        ] {
            let claim: Requirements = [wanted.clone()].into_iter().collect();
            let bits = index.matching(&wanted);
            for (i, kind) in types.iter().enumerate() {
                assert_eq!(
                    bits.contains(i),
                    kind.requirements.intersects(&claim).is_ok(),
                    "{} against {wanted}",
                    kind.name
                );
            }
        }
    }

    #[test]
    fn fitting_and_prices() {
        let types = [kind("a", 1000, &[]), kind("b", 4000, &[]), kind("c", 2000, &[])];
        let index = Index::new(types.iter());
        let mut left = index.all();
        let want = Resources {
            cpu: 1500,
            ..Resources::default()
        };
        index.retain_fitting(&want, &mut left);
        assert_eq!(left.ones().collect::<Vec<_>>(), [1, 2]);
        let groups = index.compatible_groups(&Requirements::default(), |_| true);
        let order: Vec<u32> = index.by_price(&groups).into_iter().map(|(_, i)| i).collect();
        assert_eq!(order, [0, 2, 1]);
        let mut gpu = Resources::default();
        gpu.set("nvidia.com/gpu", 1);
        index.retain_fitting(&gpu, &mut left);
        assert!(left.is_clear());
    }
}
