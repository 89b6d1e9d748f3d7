//! The order of pods and the end of trying (`scheduling §16`).

use std::cmp::Reverse;
use std::collections::VecDeque;

use jiff::Timestamp;

use super::Item;
use crate::model::Pod;

/// Pods in order of trial; those that failed come again behind the others.
#[derive(Debug)]
pub struct Queue {
    waiting: VecDeque<usize>,
    /// By pod: the queue's length after it was last put back.
    last: Vec<Option<usize>>,
    unreached: Vec<usize>,
    tried: Vec<bool>,
}

/// What decides the order of two pods, beside each other in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    cpu: Reverse<i64>,
    memory: Reverse<i64>,
    created: Timestamp,
    /// The first bytes of the uid, which mostly suffice.
    uid: [u8; 8],
}

impl Rank {
    fn of(pod: &Pod) -> Self {
        let mut uid = [0; 8];
        for (to, from) in uid.iter_mut().zip(pod.uid.bytes()) {
            *to = from;
        }
        Self {
            cpu: Reverse(pod.spec.requests.cpu),
            memory: Reverse(pod.spec.requests.memory),
            created: pod.created,
            uid,
        }
    }
}

/// What could not be placed.
#[derive(Debug, Default)]
pub struct Left {
    pub failed: Vec<usize>,
    pub unreached: Vec<usize>,
}

impl Queue {
    /// Some of the pods: CPU descending, memory descending, creation, uid.
    pub fn of(items: &[Item], order: Vec<usize>) -> Self {
        let ranked = order.into_iter().map(|i| (Rank::of(&items[i].pod), i));
        let mut order: Vec<(Rank, usize)> = ranked.collect();
        order.sort_unstable_by(|(a, i), (b, j)| {
            let name = |i: usize| (&items[i].pod.uid, &items[i].key);
            a.cmp(b).then_with(|| name(*i).cmp(&name(*j)))
        });
        let order: VecDeque<usize> = order.into_iter().map(|(_, i)| i).collect();
        Self {
            waiting: order,
            last: vec![None; items.len()],
            unreached: Vec::new(),
            tried: vec![false; items.len()],
        }
    }

    /// The next pod; `None` when all are placed, or when a full round placed nobody.
    pub fn pop(&mut self) -> Option<usize> {
        let item = *self.waiting.front()?;
        if self.last[item] == Some(self.waiting.len()) {
            return None;
        }
        self.waiting.pop_front()
    }

    pub fn placed(&mut self, item: usize) {
        self.tried[item] = true;
    }

    pub fn failed(&mut self, item: usize) {
        self.tried[item] = true;
        self.waiting.push_back(item);
        self.last[item] = Some(self.waiting.len());
    }

    /// It failed and nobody else needs a turn.
    pub fn last_failed(&mut self, item: usize) {
        self.waiting.clear();
        self.waiting.push_back(item);
    }

    pub fn unreached(&mut self, item: usize) {
        self.unreached.push(item);
    }

    pub fn left(self) -> Left {
        let stopped = !self.unreached.is_empty();
        let mut out = Left {
            failed: Vec::new(),
            unreached: self.unreached,
        };
        for item in self.waiting {
            if stopped && !self.tried[item] {
                out.unreached.push(item);
            } else {
                out.failed.push(item);
            }
        }
        out
    }
}
