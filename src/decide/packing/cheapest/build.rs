//! Node after node: of the promising offers, the one whose filling is worth most for its price.

use super::fill::{Effort, Taste, fill};
use super::plan::Node;
use super::table::{Random, Table, dollars};

/// How a node is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub taste: Taste,
    /// Offers that are tried.
    pub tried: usize,
    /// Offers among which they are picked at random; the best ones are always tried when it is not larger.
    pub among: usize,
}

/// Packs what `left` counts; what no offer suits stays there.
pub fn build(
    t: &Table<'_>,
    left: &mut [u32],
    stock: &mut [i64],
    choice: Choice,
    random: &mut Random,
    effort: &mut Effort,
) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut among: Vec<usize> = (0..left.len()).filter(|a| left[*a] > 0).collect();
    while !among.is_empty() {
        let Some(node) = best_node(t, left, &among, stock, choice, random, effort) else {
            break;
        };
        let times = repeats(t, &node, left, stock);
        for (ask, n) in &node.load {
            left[*ask] -= n * times;
        }
        if t.offer(node.offer).stock.is_some() {
            stock[node.offer] -= i64::from(times);
        }
        nodes.extend(std::iter::repeat_n(node, times as usize));
        among.retain(|a| left[*a] > 0);
    }
    nodes
}

/// A node that most of the pods could repeat many times is bought several times at once.
fn repeats(t: &Table<'_>, node: &Node, left: &[u32], stock: &[i64]) -> u32 {
    let times = node.load.iter().map(|(ask, n)| left[*ask] / n).min().unwrap_or(1);
    let most = if t.offer(node.offer).stock.is_some() {
        u32::try_from(stock[node.offer]).unwrap_or(1)
    } else {
        u32::MAX
    };
    (times / 3).clamp(1, most.max(1))
}

fn best_node(
    t: &Table<'_>,
    left: &[u32],
    among: &[usize],
    stock: &[i64],
    choice: Choice,
    random: &mut Random,
    effort: &mut Effort,
) -> Option<Node> {
    let mut promising = promising(t, left, among, stock, choice.among, effort);
    if promising.len() > choice.tried {
        for i in 0..choice.tried {
            let j = i + random.below(promising.len() - i);
            promising.swap(i, j);
        }
        promising.truncate(choice.tried);
    }
    let mut best: Option<Node> = None;
    for offer in promising {
        let load = fill(t, offer, left, among, choice.taste, random, effort);
        if let Some(node) = node(t, load, stock)
            && best.as_ref().is_none_or(|b| better(&node, b))
        {
            best = Some(node);
        }
    }
    for node in &t.loads {
        if stock[node.offer] > 0
            && node.load.iter().all(|(ask, n)| left[*ask] >= *n)
            && best.as_ref().is_none_or(|b| better(node, b))
        {
            best = Some(node.clone());
        }
    }
    // An offer that looked good may hold nothing of what is left.
    best.or_else(|| among.iter().find_map(|ask| node(t, vec![(*ask, 1)], stock)))
}

/// A load on the cheapest offer that holds it.
pub fn node(t: &Table<'_>, load: Vec<(usize, u32)>, stock: &[i64]) -> Option<Node> {
    if load.is_empty() {
        return None;
    }
    let offer = t.smallest(&load, stock)?;
    Some(Node {
        offer,
        price: t.offer(offer).price,
        worth: load.iter().map(|(a, n)| t.worth[*a] * f64::from(*n)).sum(),
        load,
    })
}

fn better(a: &Node, b: &Node) -> bool {
    let (x, y) = (a.worth * dollars(b.price), b.worth * dollars(a.price));
    (x, b.price) > (y, a.price)
}

/// Asks that are looked at to judge an offer.
const SAMPLE: usize = 48;

/// The offers whose room, as far as it can be used, is worth most for their price.
fn promising(
    t: &Table<'_>,
    left: &[u32],
    among: &[usize],
    stock: &[i64],
    most: usize,
    effort: &mut Effort,
) -> Vec<usize> {
    let step = among.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<usize> = among.iter().step_by(step).copied().collect();
    let mut by_class = vec![0.0; t.m.classes];
    for ask in among {
        by_class[t.m.asks[*ask].class] += f64::from(left[*ask]) * t.worth[*ask];
    }
    let by_mask: Vec<f64> =
        t.m.masks
            .iter()
            .map(|mask| mask.ones().map(|class| by_class[class]).sum())
            .collect();
    let mut rated: Vec<(f64, usize)> = Vec::with_capacity(t.m.offers.len());
    effort.spend(t.useful.len() * sample.len() / 2 + t.loads.len() + 50);
    for i in t.useful.iter().copied() {
        let offer = t.offer(i);
        if stock[i] <= 0 || by_mask[offer.mask] <= 0.0 {
            continue;
        }
        let mut ratio = 0.0_f64;
        for ask in &sample {
            if t.m.suits(&t.m.asks[*ask], offer) {
                ratio = ratio.max(t.fair(*ask, i));
            }
        }
        let price = dollars(offer.price).max(1e-12);
        let worth = (ratio * t.full[i]).min(by_mask[offer.mask]);
        if worth > 0.0 {
            // No load is worth more than the offer costs, whatever the room is priced at.
            rated.push(((worth / price).min(1.0), i));
        }
    }
    let order = |a: &(f64, usize), b: &(f64, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if rated.len() > most {
        rated.select_nth_unstable_by(most, order);
        rated.truncate(most);
    }
    rated.sort_unstable_by(order);
    rated.into_iter().map(|(_, i)| i).collect()
}
