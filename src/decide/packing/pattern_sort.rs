//! Where Karpenter's order of equal elements shows in a plan (which of two equally full claims is asked first, which of
//! two equally dear types is cut), it is the order that its language's in-place pattern-defeating quicksort leaves.
//! Parity needs that very order; everywhere else ties are broken by name or age.

/// Longest range that plain insertion sorts.
const INSERTION: usize = 12;
/// From here on the pivot is a median of medians.
const NINTHER: usize = 50;
/// From here on a nearly sorted range is repaired in place.
const SHIFTING: usize = 50;
const REPAIRS: usize = 5;
const MOST_SWAPS: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Increasing,
    Decreasing,
    Unknown,
}

/// Sorts in place; `less` says whether the first comes strictly before the second.
pub fn sort_by<T>(data: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let limit = usize::BITS - data.len().leading_zeros();
    let end = data.len();
    let mut sorter = Sorter { data, less };
    sorter.quick(0, end, limit);
}

struct Sorter<'a, T, F> {
    data: &'a mut [T],
    less: F,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&self, i: usize, j: usize) -> bool {
        (self.less)(&self.data[i], &self.data[j])
    }

    fn swap(&mut self, i: usize, j: usize) {
        self.data.swap(i, j);
    }

    fn quick(&mut self, mut a: usize, mut b: usize, mut limit: u32) {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = b - a;
            if length <= INSERTION {
                return self.insertion(a, b);
            }
            if limit == 0 {
                return self.heap(a, b);
            }
            if !balanced {
                self.break_patterns(a, b);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.pivot(a, b);
            if hint == Hint::Decreasing {
                self.data[a..b].reverse();
                pivot = (b - 1) - (pivot - a);
                hint = Hint::Increasing;
            }
            if balanced && partitioned && hint == Hint::Increasing && self.repair(a, b) {
                return;
            }
            if a > 0 && !self.less(a - 1, pivot) {
                a = self.partition_equal(a, b, pivot);
                continue;
            }
            let (middle, already) = self.partition(a, b, pivot);
            partitioned = already;
            let (left, right) = (middle - a, b - middle);
            let enough = length / 8;
            if left < right {
                balanced = left >= enough;
                self.quick(a, middle, limit);
                a = middle + 1;
            } else {
                balanced = right >= enough;
                self.quick(middle + 1, b, limit);
                b = middle;
            }
        }
    }

    fn insertion(&mut self, a: usize, b: usize) {
        for i in a + 1..b {
            let mut j = i;
            while j > a && self.less(j, j - 1) {
                self.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    fn heap(&mut self, a: usize, b: usize) {
        let n = b - a;
        for i in (0..=n.saturating_sub(1) / 2).rev() {
            self.sift(i, n, a);
        }
        for i in (0..n).rev() {
            self.swap(a, a + i);
            self.sift(0, i, a);
        }
    }

    fn sift(&mut self, mut root: usize, end: usize, first: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && self.less(first + child, first + child + 1) {
                child += 1;
            }
            if !self.less(first + root, first + child) {
                return;
            }
            self.swap(first + root, first + child);
            root = child;
        }
    }

    /// Splits into what is before the pivot and the rest; also whether it was so already.
    fn partition(&mut self, a: usize, b: usize, pivot: usize) -> (usize, bool) {
        self.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        let mut already = true;
        loop {
            while i <= j && self.less(i, a) {
                i += 1;
            }
            while i <= j && !self.less(j, a) {
                j -= 1;
            }
            if i > j {
                break;
            }
            already = false;
            self.swap(i, j);
            i += 1;
            j -= 1;
        }
        self.swap(j, a);
        (j, already)
    }

    /// Splits into what equals the pivot and what comes after it.
    fn partition_equal(&mut self, a: usize, b: usize, pivot: usize) -> usize {
        self.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        loop {
            while i <= j && !self.less(a, i) {
                i += 1;
            }
            while i <= j && self.less(a, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    /// Sorts a nearly sorted range with a few shifts; false when it is not one.
    fn repair(&mut self, a: usize, b: usize) -> bool {
        let mut i = a + 1;
        for _ in 0..REPAIRS {
            while i < b && !self.less(i, i - 1) {
                i += 1;
            }
            if i == b {
                return true;
            }
            if b - a < SHIFTING {
                return false;
            }
            self.swap(i, i - 1);
            if i - a >= 2 {
                let mut j = i - 1;
                while j >= 1 && self.less(j, j - 1) {
                    self.swap(j, j - 1);
                    j -= 1;
                }
            }
            if b - i >= 2 {
                let mut j = i + 1;
                while j < b && self.less(j, j - 1) {
                    self.swap(j, j - 1);
                    j += 1;
                }
            }
        }
        false
    }

    fn break_patterns(&mut self, a: usize, b: usize) {
        let length = b - a;
        if length < 8 {
            return;
        }
        let mut random = length as u64;
        let modulus = 1_u64 << (usize::BITS - length.leading_zeros());
        let at = a + (length / 4) * 2 - 1;
        for i in 0..3 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = usize::try_from(random & (modulus - 1)).unwrap_or(0);
            if other >= length {
                other -= length;
            }
            self.swap(at - 1 + i, a + other);
        }
    }

    fn pivot(&self, a: usize, b: usize) -> (usize, Hint) {
        let length = b - a;
        let mut swaps = 0;
        let quarter = length / 4;
        let mut at = [a + quarter, a + quarter * 2, a + quarter * 3];
        if length >= 8 {
            if length >= NINTHER {
                at = at.map(|i| self.median(i - 1, i, i + 1, &mut swaps));
            }
            at[1] = self.median(at[0], at[1], at[2], &mut swaps);
        }
        let hint = match swaps {
            0 => Hint::Increasing,
            MOST_SWAPS => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        (at[1], hint)
    }

    fn median(&self, a: usize, b: usize, c: usize, swaps: &mut usize) -> usize {
        let mut order = |x: usize, y: usize| {
            if self.less(y, x) {
                *swaps += 1;
                (y, x)
            } else {
                (x, y)
            }
        };
        let (a, b) = order(a, b);
        let (b, _) = order(b, c);
        let (_, b) = order(a, b);
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_whatever_the_pattern() {
        for n in [0_usize, 1, 5, 12, 13, 40, 50, 51, 200, 1000] {
            for pattern in 0..5 {
                let mut data: Vec<usize> = (0..n)
                    .map(|i| match pattern {
                        0 => i,
                        1 => n - i,
                        2 => i % 7,
                        3 => (i * 7919) % 101,
                        _ => i ^ 5,
                    })
                    .collect();
                let mut want = data.clone();
                want.sort_unstable();
                sort_by(&mut data, |a, b| a < b);
                assert_eq!(data, want, "{n} {pattern}");
            }
        }
    }

    #[test]
    fn short_ranges_keep_the_order_of_equals() {
        let mut data = [(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')];
        sort_by(&mut data, |a, b| a.0 < b.0);
        assert_eq!(data, [(1, 'b'), (1, 'd'), (2, 'a'), (2, 'c')]);
    }
}
