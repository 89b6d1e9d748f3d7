//! Durations, money, quantities and shares.

use jiff::SignedDuration;

use crate::model::resources::{CPU, EPHEMERAL, MEMORY, format_quantity};
use crate::model::{Resources, UsdPerHour, UsdSpent};

/// A wait that a person watches: `0:06`, `1:48`, `1h02m`, `3d04h`.
pub fn clock(time: SignedDuration) -> String {
    let s = time.as_secs().max(0);
    match s {
        0..3600 => format!("{}:{:02}", s / 60, s % 60),
        3600..86_400 => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
        _ => format!("{}d{:02}h", s / 86_400, s % 86_400 / 3600),
    }
}

/// An age in its largest unit: `14s`, `41m`, `9h`, `6d`.
pub fn age(time: SignedDuration) -> String {
    let s = time.as_secs().max(0);
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m", s / 60),
        3600..86_400 => format!("{}h", s / 3600),
        _ => format!("{}d", s / 86_400),
    }
}

/// A set length of time as Kubernetes writes it: `30s`, `5m`, `720h`, `1h30m`.
pub fn duration(time: std::time::Duration) -> String {
    let s = time.as_secs();
    let (h, m, s) = (s / 3600, s % 3600 / 60, s % 60);
    let mut out = String::new();
    for (n, unit) in [(h, 'h'), (m, 'm'), (s, 's')] {
        if n > 0 {
            out.push_str(&n.to_string());
            out.push(unit);
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// `$0.1450/h`
pub fn price(p: UsdPerHour) -> String {
    format!("${:.4}/h", p.as_f64())
}

/// `0.1450`
pub fn price_bare(p: UsdPerHour) -> String {
    format!("{:.4}", p.as_f64())
}

/// `$1.76/h`, or `$1.759/h` with three decimals.
pub fn price_short(p: UsdPerHour, decimals: usize) -> String {
    format!("${:.decimals$}/h", p.as_f64())
}

/// `-$0.152/h`, `+$0.145/h`, `±$0.000/h`
pub fn price_delta(p: UsdPerHour) -> String {
    let text = format!("${:.3}/h", p.as_f64().abs());
    let sign = match p.0 {
        _ if text == "$0.000/h" => "±",
        ..0 => "-",
        _ => "+",
    };
    format!("{sign}{text}")
}

/// `$1,284/mo`, `-$111/mo`: hourly price × 730.
pub fn monthly(p: UsdPerHour) -> String {
    let dollars = p.per_month().round();
    let sign = if dollars < 0.0 { "-" } else { "" };
    format!("{sign}${}/mo", thousands(&format!("{:.0}", dollars.abs())))
}

/// `$38.11`
pub fn money(spent: UsdSpent) -> String {
    let text = format!("{:.2}", spent.as_f64().abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, "00"));
    let sign = if spent.0 < 0 { "-" } else { "" };
    format!("{sign}${}.{part}", thousands(whole))
}

fn thousands(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Milli-cores as Kubernetes writes them: `500m`, `2`.
pub fn cpu(milli: i64) -> String {
    format_quantity(CPU, milli)
}

/// Bytes, exact in Gi where they are, otherwise in whole Mi (Ki below one): `12Gi`, `6584Mi`.
pub fn memory(bytes: i64) -> String {
    const GI: i64 = 1 << 30;
    const MI: i64 = 1 << 20;
    if bytes != 0 && bytes % GI == 0 {
        format!("{}Gi", bytes / GI)
    } else if bytes.abs() >= MI {
        format!("{}Mi", bytes / MI)
    } else if bytes == 0 {
        "0".to_owned()
    } else {
        format!("{}Ki", bytes / 1024)
    }
}

/// A million cores in milli-cores: somebody wrote millis for cores (`scheduling §27.1`).
const DOUBTFUL_CPU: i64 = 1_000_000_000;

/// What is asked of an amount that nobody can mean.
pub fn doubt(key: &str, value: i64) -> &'static str {
    if key == CPU && value >= DOUBTFUL_CPU {
        ", is the unit right?"
    } else {
        ""
    }
}

/// An amount of any resource in the unit a person expects.
pub fn amount(key: &str, value: i64) -> String {
    match key {
        CPU => cpu(value),
        MEMORY | EPHEMERAL => memory(value),
        _ => format_quantity(key, value),
    }
}

/// `cpu 3150m  memory 4300Mi  pods 6`
pub fn resources(r: &Resources) -> String {
    let parts: Vec<String> = r.iter().map(|(k, v)| format!("{k} {}", amount(k, v))).collect();
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join("  ")
    }
}

/// Part of a whole, 0 when there is no whole. May exceed 1 where requests exceed allocatable.
pub fn share(part: i64, whole: i64) -> f64 {
    if whole <= 0 {
        return 0.0;
    }
    // A share is shown, never compared (house, "Units are types").
    #[allow(clippy::cast_precision_loss)]
    {
        part.max(0) as f64 / whole as f64
    }
}

/// `94%`
pub fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_drawn() {
        let s = SignedDuration::from_secs;
        assert_eq!(
            [6, 108, 3720, 97_200, -4].map(|n| clock(s(n))),
            ["0:06", "1:48", "1h02m", "1d03h", "0:00"]
        );
        assert_eq!(
            [14, 2460, 32_400, 518_400].map(|n| age(s(n))),
            ["14s", "41m", "9h", "6d"]
        );
        let d = std::time::Duration::from_secs;
        assert_eq!(
            [0, 30, 300, 5400, 2_592_000].map(|n| duration(d(n))),
            ["0s", "30s", "5m", "1h30m", "720h"]
        );
    }

    #[test]
    fn money_reads_as_drawn() {
        let usd = UsdPerHour::from_f64;
        assert_eq!(price(usd(0.145)), "$0.1450/h");
        assert_eq!(price_short(usd(1.7589), 3), "$1.759/h");
        assert_eq!(monthly(usd(1.7589)), "$1,284/mo");
        assert_eq!(monthly(usd(-0.152)), "-$111/mo");
        assert_eq!(monthly(usd(2000.0)), "$1,460,000/mo");
        assert_eq!(price_delta(usd(-0.152)), "-$0.152/h");
        assert_eq!(price_delta(usd(0.145)), "+$0.145/h");
        assert_eq!(price_delta(usd(-0.0001)), "±$0.000/h");
        assert_eq!(money(UsdSpent(1_238_110_000_000_000)), "$1,238.11");
    }

    #[test]
    fn amounts_keep_their_unit() {
        assert_eq!([500, 2000, 3150].map(cpu), ["500m", "2", "3150m"]);
        assert_eq!(
            [1 << 30, 6584 << 20, 0, 4096].map(memory),
            ["1Gi", "6584Mi", "0", "4Ki"]
        );
        assert_eq!(amount("nvidia.com/gpu", 1), "1");
        assert_eq!(percent(share(1, 3)), "33%");
        assert_eq!(percent(share(1, 0)), "0%");
    }
}
