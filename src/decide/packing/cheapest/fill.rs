//! Filling one node: of the pods that still fit, the one that is most along what is still free.

use fixedbitset::FixedBitSet;

use super::table::{Random, Table, float};

/// How pods are chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taste {
    /// How little size counts: 0 big pods first, 1 a bit, 2 not at all.
    pub small: u8,
    /// How much it counts that a pod is charged what its room costs.
    pub fair: u8,
    /// By how much the scores may be off, a share.
    pub noise: f64,
}

/// While so much of the room is free, several pods are taken after one look at all.
const COARSE: f64 = 0.2;
/// Pods taken after one look, at most.
const AT_ONCE: usize = 16;

/// Work that a search may still do: pods looked at.
#[derive(Clone, Debug)]
pub struct Effort(pub u64);

impl Effort {
    pub fn spend(&mut self, n: usize) {
        self.0 = self.0.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
    }

    pub fn is_out(&self) -> bool {
        self.0 == 0
    }
}

struct Filling<'a, 'b> {
    t: &'a Table<'b>,
    offer: usize,
    free: Vec<i64>,
    slots: Vec<i64>,
    /// Classes that may still join.
    classes: FixedBitSet,
    pods: u32,
}

impl Filling<'_, '_> {
    /// How many more pods of the ask fit, at most `wanted`.
    fn fitting(&self, ask: usize, wanted: u32) -> u32 {
        let a = &self.t.m.asks[ask];
        if !self.classes.contains(a.class) {
            return 0;
        }
        let mut most = i64::from(wanted.min(self.t.most_pods.saturating_sub(self.pods)));
        for (want, free) in self.t.demand(ask).iter().zip(&self.free) {
            if *want > 0 {
                if want > free {
                    return 0;
                }
                if *want * most > *free {
                    most = free / want;
                }
            }
        }
        for slot in &a.slots {
            most = most.min(self.slots[*slot]);
        }
        u32::try_from(most.max(0)).unwrap_or(0)
    }

    fn put(&mut self, ask: usize, n: u32) {
        let a = &self.t.m.asks[ask];
        for (free, want) in self.free.iter_mut().zip(self.t.demand(ask)) {
            *free -= want * i64::from(n);
        }
        for slot in &a.slots {
            self.slots[*slot] -= i64::from(n);
        }
        if let Some(apart) = self.t.apart.get(a.class) {
            self.classes.difference_with(apart);
        }
        self.pods += n;
    }

    /// How well a pod of the ask goes along with what is free.
    fn score(&self, ask: usize, fair: f64, taste: Taste) -> f64 {
        let weight = self.t.weight(self.offer);
        let (mut along, mut size) = (0.0, 0.0);
        for ((want, free), weight) in self.t.demand(ask).iter().zip(&self.free).zip(weight) {
            let want = float(*want);
            along += want * float(*free) * weight;
            size += want * want * weight;
        }
        // Room that costs more here than the pod is charged is better left to others.
        let fair = fair.min(1.0);
        let along = match taste.fair {
            0 => along,
            1 => along * fair * fair,
            _ => along * fair * fair * fair * fair * fair * fair * fair * fair,
        };
        match taste.small {
            0 => along,
            1 => along / size.sqrt().max(1e-30).sqrt(),
            _ => along / size.sqrt().max(1e-30),
        }
    }

    /// The least share of an axis that is free.
    fn free_share(&self) -> f64 {
        let room = &self.t.offer(self.offer).room;
        self.free
            .iter()
            .zip(room)
            .filter(|(_, room)| **room > 0)
            .map(|(free, room)| float(*free) / float(*room))
            .fold(1.0, f64::min)
    }
}

/// What of `left` goes onto an empty node of the offer; asks ascending. `among`: the asks to look at.
pub fn fill(
    t: &Table<'_>,
    offer: usize,
    left: &[u32],
    among: &[usize],
    taste: Taste,
    random: &mut Random,
    effort: &mut Effort,
) -> Vec<(usize, u32)> {
    let mut f = Filling {
        t,
        offer,
        free: t.offer(offer).room.clone(),
        slots: t.m.slots.iter().map(|s| s.most).collect(),
        classes: t.mask(offer).clone(),
        pods: 0,
    };
    let mut asks: Vec<(usize, u32, f64)> = among
        .iter()
        .filter(|a| left[**a] > 0 && f.classes.contains(t.m.asks[**a].class))
        .map(|a| (*a, left[*a], t.fair(*a, offer)))
        .collect();
    let mut load: Vec<(usize, u32)> = Vec::new();
    let mut scored: Vec<(f64, usize)> = Vec::new();
    effort.spend(100 + among.len());
    while !asks.is_empty() {
        effort.spend(2 * asks.len() + 5);
        asks.retain(|(ask, n, _)| f.fitting(*ask, *n) > 0);
        scored.clear();
        scored.extend(asks.iter().enumerate().map(|(at, (ask, _, fair))| {
            let noise = if taste.noise > 0.0 {
                1.0 + taste.noise * random.share()
            } else {
                1.0
            };
            (f.score(*ask, *fair, taste) * noise, at)
        }));
        let coarse = f.free_share() > COARSE;
        let take = if coarse {
            AT_ONCE.min(1 + scored.len() / 8)
        } else {
            1
        };
        let order = |a: &(f64, usize), b: &(f64, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if scored.len() > take && take > 1 {
            scored.select_nth_unstable_by(take - 1, order);
            scored.truncate(take);
            scored.sort_unstable_by(order);
        } else if take == 1 {
            let best = scored.iter().copied().min_by(order);
            scored.clear();
            scored.extend(best);
        } else {
            scored.sort_unstable_by(order);
        }
        for (_, at) in &scored {
            let (ask, n, _) = asks[*at];
            let fits = f.fitting(ask, n);
            if fits == 0 {
                continue;
            }
            // Of many equal pods some at once, fewer as the node fills up.
            let some = if coarse {
                (fits / 6).max(1)
            } else {
                (fits / 2).max(1)
            };
            f.put(ask, some);
            load.push((ask, some));
            asks[*at].1 -= some;
        }
        asks.retain(|(_, n, _)| *n > 0);
    }
    gather(load)
}

/// Loads with one entry an ask.
pub fn gather(mut load: Vec<(usize, u32)>) -> Vec<(usize, u32)> {
    load.sort_unstable();
    let mut out: Vec<(usize, u32)> = Vec::with_capacity(load.len());
    for (ask, n) in load {
        match out.last_mut() {
            Some((last, sum)) if *last == ask => *sum += n,
            _ => out.push((ask, n)),
        }
    }
    out
}
