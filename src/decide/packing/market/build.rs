//! From requirement rows and types to asks and offers.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::{Ask, Market, Offer, Slot};
use crate::decide::scheduling::arena::Arena;
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::templates::Template;
use crate::model::resources::{CPU, EPHEMERAL, MEMORY, PODS};
use crate::model::{CapacityType, Name, Resources, UsdPerHour};

/// Equal pods, before they are brought to the axes.
#[derive(Clone, Debug)]
pub struct Want {
    /// Arena rows of the claims that suit it; it takes any of them.
    pub rows: Vec<u32>,
    pub requests: Resources,
    pub slots: Vec<usize>,
    pub count: u32,
}

/// Class, demand on each axis, slots: what pods ask that are one to the market.
type AskKey = (usize, Vec<i64>, Vec<usize>);

/// Builds the market; `most` is how many of each slot a node has. Also the ask of each want.
pub fn build(p: &Prepared, arena: &Arena<'_>, wants: &[Want], most: &[i64]) -> (Market, Vec<usize>) {
    let axes = axes(wants);
    let mut class_ids: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
    let mut asks: BTreeMap<AskKey, (usize, u32)> = BTreeMap::new();
    let mut of_want = Vec::with_capacity(wants.len());
    for want in wants {
        let mut rows = want.rows.clone();
        rows.sort_unstable();
        rows.dedup();
        let next = class_ids.len();
        let class = *class_ids.entry(rows).or_insert(next);
        let demand: Vec<i64> = axes.iter().map(|a| want.requests.get(a)).collect();
        let next = asks.len();
        let slot = asks
            .entry((class, demand, want.slots.clone()))
            .or_insert((next, 0));
        slot.1 += want.count;
        of_want.push(slot.0);
    }
    let mut out = Market {
        classes: class_ids.len(),
        slots: most
            .iter()
            .map(|most| Slot {
                most: *most,
                classes: FixedBitSet::with_capacity(class_ids.len()),
            })
            .collect(),
        axes,
        ..Market::default()
    };
    let mut listed: Vec<(usize, Ask)> = asks
        .into_iter()
        .map(|((class, demand, slots), (id, count))| {
            let ask = Ask {
                class,
                demand,
                slots,
                count,
            };
            (id, ask)
        })
        .collect();
    listed.sort_by_key(|(id, _)| *id);
    out.asks = listed.into_iter().map(|(_, ask)| ask).collect();
    for ask in &out.asks {
        for slot in &ask.slots {
            out.slots[*slot].classes.insert(ask.class);
        }
    }
    let mut classes: Vec<(Vec<u32>, usize)> = class_ids.into_iter().collect();
    classes.sort_by_key(|(_, id)| *id);
    let classes: Vec<Vec<u32>> = classes.into_iter().map(|(rows, _)| rows).collect();
    add_offers(p, arena, &classes, &mut out);
    (out, of_want)
}

fn axes(wants: &[Want]) -> Vec<Name> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for want in wants {
        seen.extend(want.requests.iter().filter(|(_, v)| *v > 0).map(|(k, _)| k));
    }
    let first = [CPU, MEMORY, PODS, EPHEMERAL];
    first
        .into_iter()
        .filter(|k| seen.contains(k))
        .chain(seen.iter().filter(|k| !first.contains(k)).copied())
        .map(Name::from)
        .collect()
}

/// Sets of classes by number.
#[derive(Default)]
struct Masks {
    ids: BTreeMap<FixedBitSet, usize>,
}

impl Masks {
    fn id(&mut self, mask: FixedBitSet) -> usize {
        let next = self.ids.len();
        *self.ids.entry(mask).or_insert(next)
    }
}

fn add_offers(p: &Prepared, arena: &Arena<'_>, classes: &[Vec<u32>], out: &mut Market) {
    let mut masks = Masks::default();
    // (mask, room) of the unlimited ones → cheapest; ties to the first template, then type.
    let mut best: BTreeMap<(usize, Vec<i64>), (UsdPerHour, usize, usize)> = BTreeMap::new();
    for (t, template) in p.templates.usable.iter().enumerate() {
        let rooms = rooms(template, &out.axes);
        for (g, group) in template.index.groups.iter().enumerate() {
            let mut of_kind: Vec<FixedBitSet> = Vec::new();
            for (class, rows) in classes.iter().enumerate() {
                let mut types = template.index.none();
                for row in rows.iter().map(|r| arena.row(*r)) {
                    if row.template == t && row.groups.contains(g) {
                        types.union_with(&row.compat);
                    }
                }
                types.intersect_with(&group.available);
                for kind in types.ones() {
                    if of_kind.is_empty() {
                        of_kind = vec![FixedBitSet::with_capacity(classes.len()); template.index.len()];
                    }
                    of_kind[kind].insert(class);
                }
            }
            for (kind, mask) in of_kind.into_iter().enumerate() {
                let Some(room) = rooms.get(&kind).filter(|_| !mask.is_clear()) else {
                    continue;
                };
                let mask = masks.id(mask);
                let price = group.prices[kind];
                if group.capacity_type == CapacityType::Reserved {
                    let id = u32::try_from(kind).unwrap_or(u32::MAX);
                    out.offers.push(Offer {
                        template: t,
                        kind,
                        room: room.clone(),
                        mask,
                        price,
                        stock: Some(group.reservation.get(&id).copied().unwrap_or(0).max(0)),
                    });
                    continue;
                }
                let slot = best.entry((mask, room.clone())).or_insert((price, t, kind));
                *slot = (*slot).min((price, t, kind));
            }
        }
    }
    let mut listed: Vec<(FixedBitSet, usize)> = masks.ids.into_iter().collect();
    listed.sort_by_key(|(_, id)| *id);
    out.masks = listed.into_iter().map(|(mask, _)| mask).collect();
    let unlimited = best
        .into_iter()
        .map(|((mask, room), (price, template, kind))| Offer {
            template,
            kind,
            room,
            mask,
            price,
            stock: None,
        });
    out.offers.extend(unlimited);
    drop_dominated(out);
    out.offers.sort_by_key(|a| (a.template, a.kind, a.price, a.mask));
}

/// Of one type: an offer that suits fewer classes at no lower price is of no use.
fn drop_dominated(out: &mut Market) {
    let mut by_kind: BTreeMap<(usize, usize), Vec<Offer>> = BTreeMap::new();
    for offer in out.offers.drain(..) {
        by_kind
            .entry((offer.template, offer.kind))
            .or_default()
            .push(offer);
    }
    for offers in by_kind.into_values() {
        for (i, one) in offers.iter().enumerate() {
            let dominated = one.stock.is_none()
                && offers.iter().enumerate().any(|(j, other)| {
                    other.stock.is_none()
                        && other.mask != one.mask
                        && (other.price, j) < (one.price, i)
                        && out.masks[one.mask].is_subset(&out.masks[other.mask])
                });
            if !dominated {
                out.offers.push(one.clone());
            }
        }
    }
}

/// What pods may use of each type that takes part, daemons taken off.
fn rooms(template: &Template, axes: &[Name]) -> BTreeMap<usize, Vec<i64>> {
    let mut out = BTreeMap::new();
    for group in &template.daemons {
        let mut types = group.types.clone();
        template.index.retain_fitting(&group.overhead, &mut types);
        for kind in types.ones() {
            let Some(have) = template.index.allocatable.get(kind) else {
                continue;
            };
            let room = axes
                .iter()
                .map(|a| have.get(a).saturating_sub(group.overhead.get(a)));
            out.insert(kind, room.collect());
        }
    }
    out
}
