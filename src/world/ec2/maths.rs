//! exp and ln from additions and multiplications alone: the platform's library may differ in the last bit, and
//! equal seeds must give equal worlds everywhere.

/// e^x for small x; good to 1e-15 for |x| ≤ 0.5.
pub fn exp(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..=16 {
        term *= x / f64::from(n);
        sum += term;
    }
    sum
}

/// Natural logarithm of x > 0.
pub fn ln(x: f64) -> f64 {
    const LN_2: f64 = std::f64::consts::LN_2;
    let (mut x, mut halvings) = (x, 0.0);
    while x > 1.5 {
        x /= 2.0;
        halvings += 1.0;
    }
    while x > 0.0 && x < 0.75 {
        x *= 2.0;
        halvings -= 1.0;
    }
    // ln x = 2 artanh((x − 1) / (x + 1)).
    let y = (x - 1.0) / (x + 1.0);
    let (mut sum, mut power) = (0.0, y);
    for n in 0..20 {
        sum += power / f64::from(2 * n + 1);
        power *= y * y;
    }
    2.0 * sum + halvings * LN_2
}

/// One step of a fast generator: a well mixed value of a counter, for walks that take millions of draws.
pub fn mix(seed: u64, counter: u64) -> u64 {
    let mut z = seed.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Close to a standard normal: the sum of four uniform parts, centred, with variance one.
pub fn normal(bits: u64) -> f64 {
    let parts = (0..4).map(|i| (bits >> (16 * i)) & 0xffff);
    let sum: f64 = parts
        .map(|p| f64::from(u16::try_from(p).unwrap_or(0)) / 65_536.0)
        .sum();
    // The variance of four uniforms is 4/12.
    (sum - 2.0) * 1.732_050_807_568_877_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_library() {
        for x in [-0.25, -0.01, 0.0, 0.1, 0.3] {
            assert!((exp(x) - f64::exp(x)).abs() < 1e-14, "exp {x}");
        }
        for x in [1e-9, 0.01, 0.5, 0.75, 1.0, 1.4, 2.0, 123.0] {
            assert!((ln(x) - f64::ln(x)).abs() < 1e-12, "ln {x}");
        }
    }

    #[test]
    fn the_normal_has_mean_zero_and_variance_one() {
        let draws: Vec<f64> = (0..20_000).map(|i| normal(mix(7, i))).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|d| d * d).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }
}
