//! The order of pods and the end of trying (`scheduling §16`).

use std::collections::VecDeque;

use super::Item;

/// Pods in order of trial; those that failed come again behind the others.
#[derive(Debug)]
pub struct Queue {
    waiting: VecDeque<usize>,
    /// By pod: the queue's length after it was last put back.
    last: Vec<Option<usize>>,
    unreached: Vec<usize>,
    tried: Vec<bool>,
}

/// What could not be placed.
#[derive(Debug, Default)]
pub struct Left {
    pub failed: Vec<usize>,
    pub unreached: Vec<usize>,
}

impl Queue {
    /// Some of the pods: CPU descending, memory descending, creation, uid.
    pub fn of(items: &[Item], mut order: Vec<usize>) -> Self {
        order.sort_by(|a, b| {
            let (x, y) = (&items[*a].pod, &items[*b].pod);
            let (p, q) = (&x.spec.requests, &y.spec.requests);
            (q.cpu, q.memory)
                .cmp(&(p.cpu, p.memory))
                .then_with(|| (x.created, &x.uid, &items[*a].key).cmp(&(y.created, &y.uid, &items[*b].key)))
        });
        Self {
            waiting: order.into(),
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
