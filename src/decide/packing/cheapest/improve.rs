//! Making a plan cheaper: a few nodes are given up and their pods packed anew, over and over.

use super::build::{Choice, build};
use super::fill::{Effort, Taste};
use super::plan::{Node, cost, counts};
use super::round::round;
use super::table::{Random, Table, dollars};

/// Pods (by ask) that are packed anew at once.
const MOST_ASKS: usize = 500;
/// Asks that are packed together at first.
const BLOCK: usize = 500;
/// Nodes given up at once, at most.
const MOST_NODES: usize = 5;
/// Tries without success before it ends.
const PATIENCE: usize = 600;
const PATIENCE_A_NODE: usize = 20;

/// The best plan that the effort finds; pods that no offer suits are in none of its nodes.
pub fn optimise(t: &Table<'_>, effort: &mut Effort) -> Vec<Node> {
    let mut random = Random::new(1);
    let mut stock = stock(t);
    let mut nodes = if t.m.asks.len() > BLOCK {
        in_blocks(t, &mut stock, &mut random, effort)
    } else {
        best_start(t, &mut stock, &mut random, effort)
    };
    improve(t, &mut nodes, &mut stock, &mut random, effort);
    nodes
}

/// The cheapest of a few plans.
fn best_start(t: &Table<'_>, stock: &mut Vec<i64>, random: &mut Random, effort: &mut Effort) -> Vec<Node> {
    let mut best: Option<(Vec<Node>, Vec<i64>)> = None;
    for (small, fair, rounded) in [(0, 1, true), (1, 2, true), (0, 1, false), (1, 2, false)] {
        let mut left = counts(t.m);
        let mut stock = stock.clone();
        let mut nodes = if rounded {
            round(t, &mut left, &mut stock)
        } else {
            Vec::new()
        };
        if rounded && nodes.is_empty() {
            continue;
        }
        let choice = first(small, fair, 8);
        nodes.extend(build(t, &mut left, &mut stock, choice, random, effort));
        if best.as_ref().is_none_or(|(b, _)| cost(&nodes) < cost(b)) {
            best = Some((nodes, stock));
        }
        if effort.is_out() {
            break;
        }
    }
    let (nodes, after) = best.unwrap_or_default();
    *stock = after;
    nodes
}

fn first(small: u8, fair: u8, tried: usize) -> Choice {
    Choice {
        taste: Taste {
            small,
            fair,
            noise: 0.0,
        },
        tried,
        among: tried,
    }
}

/// Many kinds of pods are dealt out into blocks first: looking through all of them for every node is dear.
fn in_blocks(t: &Table<'_>, stock: &mut [i64], random: &mut Random, effort: &mut Effort) -> Vec<Node> {
    let all = counts(t.m);
    let blocks = all.len().div_ceil(BLOCK);
    let mut nodes = Vec::new();
    for block in 0..blocks {
        let mut left = vec![0; all.len()];
        for ask in (block..all.len()).step_by(blocks) {
            left[ask] = all[ask];
        }
        nodes.extend(build(t, &mut left, stock, first(1, 2, 5), random, effort));
    }
    nodes
}

fn stock(t: &Table<'_>) -> Vec<i64> {
    t.m.offers.iter().map(|o| o.stock.unwrap_or(i64::MAX)).collect()
}

fn improve(
    t: &Table<'_>,
    nodes: &mut Vec<Node>,
    stock: &mut Vec<i64>,
    random: &mut Random,
    effort: &mut Effort,
) {
    let mut left = vec![0_u32; t.m.asks.len()];
    let mut vain = 0;
    while !effort.is_out() && vain < PATIENCE + PATIENCE_A_NODE * nodes.len() && !nodes.is_empty() {
        let chosen = pick(nodes, random);
        let before: Vec<Node> = chosen.iter().map(|i| nodes[*i].clone()).collect();
        for node in &before {
            for (ask, n) in &node.load {
                left[*ask] += n;
            }
            if t.offer(node.offer).stock.is_some() {
                stock[node.offer] += 1;
            }
        }
        let choice = Choice {
            taste: Taste {
                small: u8::try_from(random.below(3)).unwrap_or(0),
                fair: u8::try_from(random.below(3)).unwrap_or(0),
                noise: [0.0, 0.02, 0.1, 0.3][random.below(4)],
            },
            tried: 2 + random.below(4),
            among: [6, 12, 24, 60][random.below(4)],
        };
        let mut stock_after = stock.clone();
        let after = build(t, &mut left, &mut stock_after, choice, random, effort);
        let complete = left.iter().all(|n| *n == 0);
        let (old, new) = (cost(&before), cost(&after));
        if complete && new <= old {
            vain = if new < old { 0 } else { vain + 1 };
            for i in chosen.iter().rev() {
                nodes.swap_remove(*i);
            }
            nodes.extend(after);
            *stock = stock_after;
        } else {
            vain += 1;
            left.fill(0);
            for node in before.iter().filter(|n| t.offer(n.offer).stock.is_some()) {
                stock[node.offer] -= 1;
            }
        }
    }
}

/// Positions of the nodes to give up, ascending: one that is worth little for its price, and some others.
fn pick(nodes: &[Node], random: &mut Random) -> Vec<usize> {
    let ratio = |i: usize| nodes[i].worth / dollars(nodes[i].price).max(1e-12);
    // The worst of a few.
    let first = (0..3)
        .map(|_| random.below(nodes.len()))
        .min_by(|a, b| ratio(*a).total_cmp(&ratio(*b)).then(a.cmp(b)))
        .unwrap_or(0);
    let mut chosen = vec![first];
    let mut asks = nodes[first].load.len();
    let wanted = 1 + random.below(MOST_NODES);
    for _ in 0..wanted {
        let next = random.below(nodes.len());
        asks += nodes[next].load.len();
        if asks > MOST_ASKS {
            break;
        }
        if !chosen.contains(&next) {
            chosen.push(next);
        }
    }
    chosen.sort_unstable();
    chosen
}
