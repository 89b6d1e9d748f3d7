//! Which known word was meant by an unknown one.

/// Hints given at most.
const MOST: usize = 3;

/// Cost of one edit, in thirds of a letter: swapped neighbours are the likeliest slip, a changed letter comes before
/// a missing one, as lengths are seldom wrong.
const SWAP: usize = 2;
const CHANGE: usize = 3;
const GAP: usize = 4;
/// Another letter case or another separator.
const NEAR: usize = 1;

/// The known words nearest to `word`, at most three of the same distance; none when nothing resembles it.
pub fn nearest<'a, S: AsRef<str> + ?Sized + 'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a S>,
) -> Vec<&'a str> {
    let letters: Vec<char> = word.chars().collect();
    // About one slip in four letters; of two letters nothing can be told.
    let limit = if letters.len() < 3 {
        0
    } else {
        GAP * (letters.len() / 4).clamp(1, 3)
    };
    let mut best = limit + 1;
    let mut out: Vec<&str> = Vec::new();
    for candidate in known {
        let candidate = candidate.as_ref();
        let theirs: Vec<char> = candidate.chars().collect();
        if candidate == word || letters.len().abs_diff(theirs.len()) * GAP > best {
            continue;
        }
        let d = distance(&letters, &theirs);
        if d < best {
            best = d;
            out.clear();
        }
        if d == best && d <= limit {
            out.push(candidate);
        }
    }
    out.sort_unstable();
    out.dedup();
    out.truncate(MOST);
    out
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | '/' | ' ')
}

fn change(a: char, b: char) -> usize {
    if a == b {
        0
    } else if a.eq_ignore_ascii_case(&b) || (is_separator(a) && is_separator(b)) {
        NEAR
    } else {
        CHANGE
    }
}

/// Weighted edit distance with swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..width).map(|j| j * GAP).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(width);
        row.push((i + 1) * GAP);
        for (j, y) in b.iter().enumerate() {
            let mut d = (last[j] + change(*x, *y))
                .min(last[j + 1] + GAP)
                .min(row[j] + GAP);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y && x != y {
                d = d.min(before_last[j - 1] + SWAP);
            }
            row.push(d);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_names_and_values() {
        let types = [
            "m5d.xlarge",
            "m5d.2xlarge",
            "m5d.12xlarge",
            "m5.2xlarge",
            "c5d.2xlarge",
            "g4dn.xlarge",
        ];
        for (word, want) in [
            ("m5d.x2large", vec!["m5d.2xlarge"]),
            ("M5d.2xlarge", vec!["m5d.2xlarge"]),
            ("m5d-xlarge", vec!["m5d.xlarge"]),
            ("g4n.xlarge", vec!["g4dn.xlarge"]),
            ("something-else", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(nearest(word, types), want, "{word}");
        }
    }

    #[test]
    fn equally_near_words_are_all_named() {
        let zones = ["us-east-1a", "us-east-1b", "us-east-1c"];
        assert_eq!(nearest("us-east-1z", zones), zones);
        assert_eq!(nearest("us-west-1", ["us-west-2", "eu-west-1"]), ["us-west-2"]);
    }

    #[test]
    fn short_words_need_to_be_close() {
        assert_eq!(nearest("amd46", ["amd64", "arm64"]), ["amd64"]);
        assert!(nearest("x", ["y", "z"]).is_empty());
        assert_eq!(nearest("spto", ["spot", "on-demand"]), ["spot"]);
    }
}
