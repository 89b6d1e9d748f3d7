//! The most that any machine of a block of 64 has free, so that a search passes over full blocks at once.

use crate::model::Resources;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    cpu: i64,
    memory: i64,
    pods: i64,
    ephemeral: i64,
}

impl Room {
    /// Machines a block.
    pub const BLOCK: usize = 64;

    const NONE: Self = Self {
        cpu: i64::MIN,
        memory: i64::MIN,
        pods: i64::MIN,
        ephemeral: i64::MIN,
    };

    /// One entry a block, in order.
    pub fn blocks<'a>(free: impl Iterator<Item = &'a Resources>) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        for (i, free) in free.enumerate() {
            if i % Self::BLOCK == 0 {
                out.push(Self::NONE);
            }
            if let Some(last) = out.last_mut() {
                last.raise(free);
            }
        }
        out
    }

    /// A machine of the block has that much free.
    pub fn raise(&mut self, free: &Resources) {
        self.cpu = self.cpu.max(free.cpu);
        self.memory = self.memory.max(free.memory);
        self.pods = self.pods.max(free.pods);
        self.ephemeral = self.ephemeral.max(free.ephemeral);
    }

    /// False: no machine of the block holds the requests. Extended resources are not looked at.
    pub fn may_hold(&self, requests: &Resources) -> bool {
        requests.cpu <= self.cpu
            && requests.memory <= self.memory
            && requests.pods <= self.pods
            && requests.ephemeral <= self.ephemeral
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_what_one_of_its_machines_may_hold() {
        let of = |cpu: i64, memory: i64| Resources {
            cpu,
            memory,
            ..Resources::default()
        };
        let free: Vec<Resources> = (0..130).map(|i| of(i, 1000 - i)).collect();
        let mut blocks = Room::blocks(free.iter());
        assert_eq!(blocks.len(), 3);
        assert!(blocks[0].may_hold(&of(63, 1000)) && !blocks[0].may_hold(&of(64, 0)));
        assert!(blocks[2].may_hold(&of(129, 872)) && !blocks[2].may_hold(&of(0, 873)));
        blocks[0].raise(&of(64, 0));
        assert!(blocks[0].may_hold(&of(64, 0)));
    }
}
