//! One seeded generator per (seed, purpose, object): streams are never shared, so that adding one object never
//! moves another's draws (decisions §2).

use sha2::{Digest, Sha256};

/// 64 uniform bits for (seed, purpose, object).
pub fn draw(seed: u64, purpose: &str, object: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(purpose.as_bytes());
    hash.update([0]);
    hash.update(object.as_bytes());
    let digest = hash.finalize();
    let mut out = [0; 8];
    out.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(out)
}

/// Uniform in `[0, 1)`.
#[allow(clippy::cast_precision_loss)]
pub fn unit(seed: u64, purpose: &str, object: &str) -> f64 {
    (draw(seed, purpose, object) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Uniform in `[low, high)`.
pub fn between(seed: u64, purpose: &str, object: &str, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(seed, purpose, object)
}

/// A version-4-shaped UUID.
pub fn uuid(seed: u64, purpose: &str, object: &str) -> String {
    let (a, b) = (
        draw(seed, purpose, object),
        draw(seed, "uuid-low", &format!("{purpose}/{object}")),
    );
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// Five characters of the alphabet that `generateName` uses.
pub fn suffix(seed: u64, purpose: &str, object: &str) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut bits = draw(seed, purpose, object);
    (0..5)
        .map(|_| {
            let c = ALPHABET[usize::try_from(bits % 27).unwrap_or(0)];
            bits /= 27;
            char::from(c)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn draws_depend_on_each_part() {
        let base = super::draw(7, "boot", "i-1");
        assert_eq!(base, super::draw(7, "boot", "i-1"));
        assert_ne!(base, super::draw(8, "boot", "i-1"));
        assert_ne!(base, super::draw(7, "ready", "i-1"));
        assert_ne!(base, super::draw(7, "boot", "i-2"));
    }
}
