//! Nodes as numbers: what each holds and what it costs.

use crate::decide::packing::market::Market;
use crate::model::UsdPerHour;

/// One node of a plan.
#[derive(Clone, Debug)]
pub struct Node {
    /// Position among the market's offers.
    pub offer: usize,
    /// Ask → how many of its pods, ascending.
    pub load: Vec<(usize, u32)>,
    pub price: UsdPerHour,
    /// What its pods are charged at the floor's prices, in dollars.
    pub worth: f64,
}

impl Node {
    pub fn pods(&self) -> u64 {
        self.load.iter().map(|(_, n)| u64::from(*n)).sum()
    }
}

/// Σ price.
pub fn cost(nodes: &[Node]) -> UsdPerHour {
    nodes.iter().map(|n| n.price).sum()
}

/// Pods still without a node, by ask.
pub fn counts(m: &Market) -> Vec<u32> {
    m.asks.iter().map(|a| a.count).collect()
}
