//! One VPC: a /18 subnet in each zone and one security group, tagged for discovery.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::aws::api::{SecurityGroup, Subnet, Tags};
use crate::facts;
use crate::model::Name;
use crate::world::random;

/// Addresses of a /18, and those that AWS keeps of them: four at the start and one at the end.
const SIZE: u32 = 1 << 14;
const KEPT_FIRST: u32 = 4;
const KEPT: u32 = 5;

#[derive(Debug)]
struct Pool {
    subnet: Subnet,
    /// Number of the subnet's first address.
    base: u32,
    used: BTreeSet<u32>,
    next: u32,
}

#[derive(Debug)]
pub struct Network {
    region: Name,
    /// By subnet id.
    pools: BTreeMap<Name, Pool>,
    pub group: SecurityGroup,
}

fn hex(seed: u64, kind: &str, of: &str) -> String {
    format!("0{:016x}", random::draw(seed, kind, of))
}

impl Network {
    pub fn new(seed: u64, region: &Name, cluster: &Name) -> Self {
        let vpc: Name = format!("vpc-{}", hex(seed, "vpc", region)).into();
        let tags = |name: String| -> Tags {
            [
                ("karpenter.sh/discovery".into(), cluster.clone()),
                ("Name".into(), name.into()),
            ]
            .into()
        };
        let pools = (0_u32..)
            .zip(facts::get().zones(region))
            .map(|(i, zone)| {
                let id: Name = format!("subnet-{}", hex(seed, "subnet", &zone.name)).into();
                let pool = Pool {
                    subnet: Subnet {
                        subnet_id: id.clone(),
                        vpc_id: vpc.clone(),
                        availability_zone: zone.name.clone(),
                        availability_zone_id: zone.id.clone(),
                        available_ip_address_count: 0,
                        tags: tags(format!("{cluster}-private-{}", zone.name)),
                    },
                    base: (10 << 24) + i * SIZE,
                    used: BTreeSet::new(),
                    next: KEPT_FIRST,
                };
                (id, pool)
            })
            .collect();
        Self {
            region: region.clone(),
            pools,
            group: SecurityGroup {
                group_id: format!("sg-{}", hex(seed, "group", cluster)).into(),
                group_name: format!("{cluster}-node").into(),
                vpc_id: vpc,
                tags: tags(format!("{cluster}-node")),
            },
        }
    }

    /// Every subnet with its free addresses of now.
    pub fn subnets(&self) -> impl Iterator<Item = Subnet> {
        self.pools.values().map(|pool| {
            let used = u32::try_from(pool.used.len()).unwrap_or(SIZE);
            Subnet {
                available_ip_address_count: i64::from(SIZE - KEPT) - i64::from(used),
                ..pool.subnet.clone()
            }
        })
    }

    pub fn zone_of(&self, subnet: &str) -> Option<(&Name, &Name)> {
        let subnet = &self.pools.get(subnet)?.subnet;
        Some((&subnet.availability_zone, &subnet.availability_zone_id))
    }

    pub fn zone_id(&self, zone: &str) -> Option<&Name> {
        self.pools
            .values()
            .find(|p| &*p.subnet.availability_zone == zone)
            .map(|p| &p.subnet.availability_zone_id)
    }

    pub fn has_room(&self, subnet: &str) -> bool {
        self.pools
            .get(subnet)
            .is_some_and(|p| p.used.len() < (SIZE - KEPT) as usize)
    }

    pub fn tag(&mut self, subnet: &str, key: &str, value: Option<&str>) {
        let Some(pool) = self.pools.get_mut(subnet) else {
            return;
        };
        match value {
            Some(value) => pool.subnet.tags.insert(key.into(), value.into()),
            None => pool.subnet.tags.remove(key),
        };
    }

    /// Others take addresses until so many are free.
    pub fn leave(&mut self, subnet: &str, free: u32) {
        let Some(pool) = self.pools.get_mut(subnet) else {
            return;
        };
        let wanted = (SIZE - KEPT).saturating_sub(free) as usize;
        for at in KEPT_FIRST..SIZE - 1 {
            if pool.used.len() >= wanted {
                break;
            }
            pool.used.insert(at);
        }
    }

    /// The next free address, in turn, so that one is not given again soon.
    pub fn take(&mut self, subnet: &str) -> Option<Name> {
        let pool = self.pools.get_mut(subnet)?;
        for _ in 0..SIZE {
            let at = pool.next;
            pool.next = if at + 2 >= SIZE { KEPT_FIRST } else { at + 1 };
            if pool.used.insert(at) {
                let [a, b, c, d] = (pool.base + at).to_be_bytes();
                return Some(format!("{a}.{b}.{c}.{d}").into());
            }
        }
        None
    }

    /// Marks an address as used, after a restart.
    pub fn claim(&mut self, subnet: &str, address: &str) {
        if let (Some(pool), Some(number)) = (self.pools.get_mut(subnet), number(address)) {
            let at = number.wrapping_sub(pool.base);
            pool.used.insert(at);
            pool.next = pool.next.max(at.saturating_add(1)).min(SIZE - 2);
        }
    }

    pub fn give_back(&mut self, subnet: &str, address: &str) {
        if let (Some(pool), Some(number)) = (self.pools.get_mut(subnet), number(address)) {
            pool.used.remove(&number.wrapping_sub(pool.base));
        }
    }

    /// `ip-10-0-3-7.ec2.internal`, with the region's name outside us-east-1.
    pub fn private_dns(&self, address: &str) -> Name {
        let dashed = address.replace('.', "-");
        if &*self.region == "us-east-1" {
            format!("ip-{dashed}.ec2.internal").into()
        } else {
            format!("ip-{dashed}.{}.compute.internal", self.region).into()
        }
    }
}

fn number(address: &str) -> Option<u32> {
    let address: std::net::Ipv4Addr = address.parse().ok()?;
    Some(u32::from(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_and_come_back() {
        let mut network = Network::new(1, &"us-east-1".into(), &"demo".into());
        let free = |n: &Network| n.subnets().next().map(|s| s.available_ip_address_count);
        let subnets: Vec<Subnet> = network.subnets().collect();
        assert_eq!(subnets.len(), 6);
        let id = subnets[0].subnet_id.clone();
        assert_eq!(free(&network), Some(16_379));
        let address = network.take(&id).expect("room");
        assert_eq!(free(&network), Some(16_378));
        assert_ne!(network.take(&id), Some(address.clone()));
        network.give_back(&id, &address);
        assert_eq!(free(&network), Some(16_378));
        network.claim(&id, &address);
        assert_eq!(free(&network), Some(16_377));
        assert_eq!(&*network.private_dns("10.0.3.7"), "ip-10-0-3-7.ec2.internal");
    }
}
