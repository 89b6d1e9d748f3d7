//! Bin-packing bars and sparklines.

/// `██████░░░░`: a share of `width` cells. Something that is there at all shows at least one full cell, something
/// that is not full at least one empty one.
pub fn bar(share: f64, width: usize) -> String {
    let clamped = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    // Bounded by `width`, a terminal's column count.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let mut full = (clamped * width as f64).round() as usize;
    if clamped > 0.0 && full == 0 {
        full = 1.min(width);
    }
    if clamped < 1.0 && full >= width {
        full = width.saturating_sub(1);
    }
    let mut out = String::with_capacity(width * 3);
    out.extend(std::iter::repeat_n('█', full));
    out.extend(std::iter::repeat_n('░', width - full));
    out
}

/// `▁▂▃▅█` over `width` columns: the newest at the right, each column the last value of its stretch. Scaled from
/// zero to the largest value, so that heights compare.
pub fn spark(values: &[f64], width: usize) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if values.is_empty() || width == 0 {
        return String::new();
    }
    let top = values.iter().copied().fold(0.0_f64, f64::max);
    let columns = width.min(values.len());
    (0..columns)
        .map(|i| {
            let at = (i + 1) * values.len() / columns - 1;
            let v = values.get(at).copied().unwrap_or(0.0);
            if top <= 0.0 || v <= 0.0 {
                return '▁';
            }
            // In 0..=7 by construction; `get` below guards all the same.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let step = (v / top * 7.0).round() as usize;
            STEPS.get(step).copied().unwrap_or('█')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_never_lie_at_the_ends() {
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(0.001, 4), "█░░░");
        assert_eq!(bar(0.999, 4), "███░");
        assert_eq!(bar(1.3, 4), "████");
        assert_eq!(bar(0.0, 4), "░░░░");
        assert_eq!(bar(f64::NAN, 2), "░░");
        assert_eq!(bar(0.5, 0), "");
    }

    #[test]
    fn sparks_scale_from_zero() {
        assert_eq!(spark(&[0.0, 1.0, 2.0, 4.0], 4), "▁▃▅█");
        assert_eq!(spark(&[1.0, 2.0, 3.0, 4.0], 2), "▅█");
        assert_eq!(spark(&[0.0, 0.0], 5), "▁▁");
        assert_eq!(spark(&[], 5), "");
    }
}
