//! The floor against the truth: every placement of a few pods, tried.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;
use proptest::prelude::*;

use super::{Care, dual, exact, of_market};
use crate::decide::packing::market::{Ask, Market, Offer, Slot};
use crate::model::UsdPerHour;

/// One pod: class, demand, slots.
type Pod = (usize, Vec<i64>, Vec<usize>);

fn fits(m: &Market, offer: &Offer, pods: &[&Pod]) -> bool {
    let suits = pods.iter().all(|p| m.masks[offer.mask].contains(p.0));
    let room = (0..m.axes.len()).all(|a| pods.iter().map(|p| p.1[a]).sum::<i64>() <= offer.room[a]);
    let slots = m.slots.iter().enumerate().all(|(s, slot)| {
        let taken = pods.iter().filter(|p| p.2.contains(&s)).count();
        i64::try_from(taken).is_ok_and(|n| n <= slot.most)
    });
    suits && room && slots
}

/// The least that all pods cost; `None` when some pod has no place.
fn truth(m: &Market) -> Option<UsdPerHour> {
    let pods: Vec<Pod> = m
        .asks
        .iter()
        .flat_map(|a| {
            let one = (a.class, a.demand.clone(), a.slots.clone());
            std::iter::repeat_n(one, a.count as usize)
        })
        .collect();
    let stock: Vec<i64> = m.offers.iter().map(|o| o.stock.unwrap_or(i64::MAX)).collect();
    let mut known = BTreeMap::new();
    rest(m, &pods, (1 << pods.len()) - 1, &stock, &mut known)
}

fn rest(
    m: &Market,
    pods: &[Pod],
    left: u32,
    stock: &[i64],
    known: &mut BTreeMap<(u32, Vec<i64>), Option<UsdPerHour>>,
) -> Option<UsdPerHour> {
    if left == 0 {
        return Some(UsdPerHour::ZERO);
    }
    if let Some(answer) = known.get(&(left, stock.to_vec())) {
        return *answer;
    }
    let first = left & left.wrapping_neg();
    let others = left & !first;
    let mut best: Option<UsdPerHour> = None;
    let mut some = others;
    loop {
        let node = some | first;
        let on: Vec<&Pod> = (0..pods.len())
            .filter(|i| node & (1 << i) != 0)
            .map(|i| &pods[i])
            .collect();
        for (i, offer) in m.offers.iter().enumerate() {
            if stock[i] > 0 && fits(m, offer, &on) {
                let mut fewer = stock.to_vec();
                if offer.stock.is_some() {
                    fewer[i] -= 1;
                }
                if let Some(cost) = rest(m, pods, left & !node, &fewer, known) {
                    let cost = cost + offer.price;
                    best = Some(best.map_or(cost, |b| b.min(cost)));
                }
            }
        }
        if some == 0 {
            break;
        }
        some = (some - 1) & others;
    }
    known.insert((left, stock.to_vec()), best);
    best
}

fn mask(classes: usize, bits: u8) -> FixedBitSet {
    let mut out = FixedBitSet::with_capacity(classes);
    (0..classes).for_each(|c| out.set(c, bits & (1 << c) != 0));
    out
}

fn markets() -> impl Strategy<Value = Market> {
    const CLASSES: usize = 3;
    let ask = (0..CLASSES, 1..40_i64, 1..40_i64, 0..4_usize, 1..3_u32);
    let offer = (
        1..8_u8,
        1..100_i64,
        1..100_i64,
        0..5_000_000_000_000_i64,
        0..8_i64,
    );
    (
        prop::collection::vec(ask, 1..5),
        prop::collection::vec(offer, 1..5),
    )
        .prop_map(|(asks, offers)| {
            let asks: Vec<Ask> = asks
                .into_iter()
                .map(|(class, x, y, slot, count)| Ask {
                    class,
                    demand: vec![x, y, 1],
                    slots: if slot < 2 { vec![slot] } else { vec![] },
                    count,
                })
                .collect();
            let slots = (0..2_usize)
                .map(|s| {
                    let mut classes = FixedBitSet::with_capacity(CLASSES);
                    classes.extend(asks.iter().filter(|a| a.slots.contains(&s)).map(|a| a.class));
                    Slot {
                        most: 1 + i64::from(s == 1),
                        classes,
                    }
                })
                .collect();
            let offers: Vec<Offer> = offers
                .into_iter()
                .enumerate()
                .map(|(i, (_, x, y, price, stock))| Offer {
                    template: 0,
                    kind: i,
                    room: vec![x, y, 4],
                    mask: i,
                    price: UsdPerHour(price),
                    stock: (stock < 3).then_some(stock),
                })
                .collect();
            Market {
                axes: vec!["cpu".into(), "memory".into(), "pods".into()],
                asks,
                classes: CLASSES,
                masks: Vec::new(),
                offers,
                slots,
            }
        })
        .prop_flat_map(|m| {
            let bits = prop::collection::vec(1..8_u8, m.offers.len());
            (Just(m), bits).prop_map(|(mut m, bits)| {
                m.masks = bits.into_iter().map(|b| mask(CLASSES, b)).collect();
                m
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_placement_costs_less(m in markets()) {
        let mut m = m;
        let floor = of_market(&mut m, Care::Full).usd_per_hour;
        // The market is now without the asks that nothing suits.
        if let Some(truth) = truth(&m) {
            prop_assert!(floor <= truth, "{floor} > {truth}");
        }
    }

    #[test]
    fn any_prices_give_a_floor(
        m in markets(),
        classes in prop::collection::vec(prop::collection::vec(0.0..1e12_f64, 3), 3),
        slots in prop::collection::vec(0.0..1e12_f64, 2),
    ) {
        let mut m = m;
        of_market(&mut m, Care::Full);
        let floor = exact::value(&m, &dual::Prices { classes, slots });
        if let Some(truth) = truth(&m) {
            prop_assert!(floor <= truth, "{floor} > {truth}");
        }
    }
}

fn one_class(asks: &[(i64, i64, u32)], offers: &[(i64, i64, f64)]) -> Market {
    Market {
        axes: vec!["cpu".into(), "memory".into()],
        asks: asks
            .iter()
            .map(|(x, y, count)| Ask {
                class: 0,
                demand: vec![*x, *y],
                slots: vec![],
                count: *count,
            })
            .collect(),
        classes: 1,
        masks: vec![mask(1, 1)],
        offers: offers
            .iter()
            .enumerate()
            .map(|(kind, (x, y, price))| Offer {
                template: 0,
                kind,
                room: vec![*x, *y],
                mask: 0,
                price: UsdPerHour::from_f64(*price),
                stock: None,
            })
            .collect(),
        slots: vec![],
    }
}

#[test]
fn the_program_finds_its_optimum() {
    // 100 cores and 200 GiB: the cheap type gives both, so 12.5 of them.
    let gib = 1_i64 << 30;
    let mut m = one_class(
        &[(500, gib, 200)],
        &[
            (4000, 8 * gib, 0.2),
            (8000, 16 * gib, 0.39),
            (2000, 16 * gib, 0.2),
        ],
    );
    let floor = of_market(&mut m, Care::Full).usd_per_hour.as_f64();
    assert!((floor - 12.5 * 0.39).abs() < 1e-6, "{floor}");
}

#[test]
fn classes_share_nodes() {
    // Class 0 wants cpu, class 1 memory: one kind of node serves both at once, so the two floors do not add up.
    let mut m = one_class(&[(1000, 0, 100), (0, 1000, 100)], &[(1000, 1000, 1.0)]);
    m.classes = 2;
    m.asks[1].class = 1;
    m.masks = vec![mask(2, 3)];
    let floor = of_market(&mut m, Care::Full).usd_per_hour.as_f64();
    assert!((floor - 100.0).abs() < 1e-5, "{floor}");
}

#[test]
fn pods_that_share_no_node_need_one_each() {
    let mut m = one_class(&[(10, 10, 7)], &[(1000, 1000, 1.0), (10_000, 10_000, 2.0)]);
    m.asks[0].slots = vec![0];
    m.slots = vec![Slot {
        most: 1,
        classes: mask(1, 1),
    }];
    assert_eq!(
        of_market(&mut m, Care::Full).usd_per_hour,
        UsdPerHour::from_f64(7.0)
    );
}

#[test]
fn a_reservation_is_cheap_only_while_it_lasts() {
    let mut m = one_class(&[(1000, 1000, 10)], &[(1000, 1000, 1.0), (1000, 1000, 0.0)]);
    m.offers[1].stock = Some(4);
    let floor = of_market(&mut m, Care::Full).usd_per_hour.as_f64();
    assert!((floor - 6.0).abs() < 1e-5, "{floor}");
}

#[test]
fn only_whole_pods_count() {
    // Of pods that take 0.6 of a node one fits each, whatever the resources add up to; a bit more than a third: two.
    let mut m = one_class(&[(600, 100, 10)], &[(1000, 1000, 1.0)]);
    assert!((of_market(&mut m, Care::Full).usd_per_hour.as_f64() - 10.0).abs() < 0.5);
    let mut m = one_class(&[(340, 100, 10)], &[(1000, 1000, 1.0)]);
    assert!((of_market(&mut m, Care::Full).usd_per_hour.as_f64() - 5.0).abs() < 0.5);
}

#[test]
fn all_of_a_pod_is_on_one_node() {
    // One type sells cpu for nothing and has no memory to speak of, the other the reverse: no pod fits either.
    let types = [(10_000, 10, 0.01), (10, 10_000, 0.01), (1000, 1000, 1.0)];
    let mut m = one_class(&[(100, 100, 100)], &types);
    let floor = of_market(&mut m, Care::Full).usd_per_hour.as_f64();
    assert!((floor - 10.0).abs() < 1e-3, "{floor}");
}
