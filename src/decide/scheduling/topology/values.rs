//! The values of a topology key by number, so that counting and comparing need no text.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::super::prepare::Prepared;
use super::count::domain_of;
use crate::api::names;
use crate::model::{Name, Requirement};

/// Up to so many values, each has its nodes as a bit set.
const FEW: usize = 256;

/// What one snapshot knows of a key: the values of nodes, pools and types, in name order.
#[derive(Debug, Default)]
pub struct Values {
    names: Vec<Name>,
    ids: BTreeMap<Name, u32>,
    /// By node: its value.
    of_node: Vec<Option<u32>>,
    /// By value: its nodes.
    nodes: Vec<Vec<u32>>,
    /// The same as bits, where the values are few.
    bits: Vec<FixedBitSet>,
}

fn short(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

impl Values {
    pub fn new(prepared: &Prepared, key: &Name) -> Self {
        let mut ids: BTreeMap<Name, u32> = BTreeMap::new();
        for i in 0..prepared.nodes.len() {
            if let Some(value) = domain_of(prepared, i, key)
                && !ids.contains_key(value)
            {
                ids.insert(value.clone(), 0);
            }
        }
        if **key != *names::HOSTNAME {
            for source in &prepared.templates.sources {
                let of_pool = source.requirements.get(key).into_iter().flat_map(|r| &r.values);
                ids.extend(source.index.values(key).chain(of_pool).map(|v| (v.clone(), 0)));
            }
        }
        for (next, id) in ids.values_mut().enumerate() {
            *id = short(next);
        }
        let mut nodes = vec![Vec::new(); ids.len()];
        let of_node: Vec<Option<u32>> = (0..prepared.nodes.len())
            .map(|i| {
                let id = *ids.get(domain_of(prepared, i, key)?)?;
                nodes[id as usize].push(short(i));
                Some(id)
            })
            .collect();
        let bits = if ids.len() > FEW {
            Vec::new()
        } else {
            nodes
                .iter()
                .map(|list| {
                    let mut bits = FixedBitSet::with_capacity(of_node.len());
                    bits.extend(list.iter().map(|i| *i as usize));
                    bits
                })
                .collect()
        };
        Self {
            names: ids.keys().cloned().collect(),
            ids,
            of_node,
            nodes,
            bits,
        }
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn id(&self, value: &str) -> Option<u32> {
        self.ids.get(value).copied()
    }

    pub fn of_node(&self, node: usize) -> Option<u32> {
        self.of_node.get(node).copied().flatten()
    }

    pub fn name_of_node(&self, node: usize) -> Option<&Name> {
        self.names.get(self.of_node(node)? as usize)
    }

    pub fn nodes(&self, id: usize) -> &[u32] {
        self.nodes.get(id).map_or(&[], Vec::as_slice)
    }

    /// Adds the nodes with a value.
    pub fn add_nodes(&self, id: usize, to: &mut FixedBitSet) {
        match self.bits.get(id) {
            Some(bits) => to.union_with(bits),
            None => to.extend(self.nodes(id).iter().map(|i| *i as usize)),
        }
    }
}

/// A key's values in one solve: those of the snapshot, then what turned up since. For hostname the latter are the
/// claims of this plan, in order.
#[derive(Clone, Debug)]
pub struct Table {
    pub key: Name,
    pub base: Arc<Values>,
    more: Vec<Name>,
    more_ids: BTreeMap<Name, u32>,
}

impl Table {
    pub fn new(key: Name, base: Arc<Values>) -> Self {
        Self {
            key,
            base,
            more: Vec::new(),
            more_ids: BTreeMap::new(),
        }
    }

    pub fn name(&self, id: usize) -> Option<&Name> {
        match id.checked_sub(self.base.len()) {
            Some(more) => self.more.get(more),
            None => self.base.names.get(id),
        }
    }

    /// The number of a value; a new one when nobody spoke of it yet.
    pub fn intern(&mut self, value: &Name) -> usize {
        if let Some(id) = self.base.id(value) {
            return id as usize;
        }
        let next = self.base.len() + self.more.len();
        let id = *self.more_ids.entry(value.clone()).or_insert(short(next));
        if id as usize == next {
            self.more.push(value.clone());
        }
        id as usize
    }

    /// The number of a claim's placeholder hostname.
    pub fn claim(&mut self, claim: usize, hostname: &Name) -> usize {
        if self.more.len() <= claim {
            self.more.resize_with(claim, Name::default);
            self.more.push(hostname.clone());
        }
        self.base.len() + claim
    }

    fn len(&self) -> usize {
        self.base.len() + self.more.len()
    }

    /// The values that a requirement allows.
    pub fn allowed(&self, requirement: &Requirement) -> FixedBitSet {
        let mut out = FixedBitSet::with_capacity(self.len());
        if requirement.complement {
            let all = self.base.names.iter().chain(&self.more).enumerate();
            out.extend(all.filter(|(_, v)| requirement.has(v)).map(|(id, _)| id));
        } else {
            out.extend(requirement.values.iter().filter_map(|v| {
                let id = self.base.id(v).or_else(|| self.more_ids.get(v).copied());
                id.map(|id| id as usize)
            }));
        }
        out
    }
}
