//! The numbers themselves.

use fixedbitset::FixedBitSet;

use crate::model::{Name, UsdPerHour};

/// What is asked and what is offered.
#[derive(Clone, Debug, Default)]
pub struct Market {
    /// The resources that somebody asks for; every amount is a list in this order.
    pub axes: Vec<Name>,
    pub asks: Vec<Ask>,
    pub classes: usize,
    /// Distinct sets of classes, by [`Offer::mask`].
    pub masks: Vec<FixedBitSet>,
    pub offers: Vec<Offer>,
    pub slots: Vec<Slot>,
}

/// Pods that nothing here tells apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    pub class: usize,
    /// In the unit of each axis.
    pub demand: Vec<i64>,
    /// What it takes one of.
    pub slots: Vec<usize>,
    pub count: u32,
}

/// A type at a price.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Position among the usable templates.
    pub template: usize,
    /// Position in the template's catalogue.
    pub kind: usize,
    /// Allocatable less the daemons that the node would get.
    pub room: Vec<i64>,
    pub mask: usize,
    pub price: UsdPerHour,
    /// How many there are, where they are counted: reservations.
    pub stock: Option<i64>,
}

/// Something that every node has `most` of.
#[derive(Clone, Debug)]
pub struct Slot {
    pub most: i64,
    /// Classes of the asks that take it.
    pub classes: FixedBitSet,
}

impl Market {
    /// Whether one pod of the ask fits an empty node of the offer.
    pub fn suits(&self, ask: &Ask, offer: &Offer) -> bool {
        self.masks[offer.mask].contains(ask.class)
            && ask
                .demand
                .iter()
                .zip(&offer.room)
                .all(|(want, have)| want <= have)
    }

    /// How many pods.
    pub fn pods(&self) -> u64 {
        self.asks.iter().map(|a| u64::from(a.count)).sum()
    }
}
