//! Where a hostname group is full, as bits over nodes and over the claims of this plan.

use fixedbitset::FixedBitSet;

use super::values::Values;

/// By whether the group selects the pod that comes: full for it. Of groups that do not spread both are the same.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    nodes: [FixedBitSet; 2],
    claims: [FixedBitSet; 2],
}

impl Hosts {
    pub fn set(&mut self, host: usize, itself: bool, full: bool, values: &Values) {
        let slot = usize::from(itself);
        match host.checked_sub(values.len()) {
            Some(claim) => put(&mut self.claims[slot], claim, full),
            None => {
                for node in values.nodes(host) {
                    put(&mut self.nodes[slot], *node as usize, full);
                }
            }
        }
    }

    pub fn nodes(&self, itself: bool) -> &FixedBitSet {
        &self.nodes[usize::from(itself)]
    }

    pub fn claims(&self, itself: bool) -> &FixedBitSet {
        &self.claims[usize::from(itself)]
    }
}

fn put(bits: &mut FixedBitSet, at: usize, value: bool) {
    if value {
        bits.grow(at + 1);
        bits.insert(at);
    } else if at < bits.len() {
        bits.set(at, false);
    }
}
