//! Schedules of budgets (`disruption §5.2`): five fields or a macro, always UTC. Strict: what Karpenter refuses is
//! an error here, and an error closes the budget.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A schedule, one bit per allowed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Both day fields restrict: then either suffices.
    either_day: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no schedule: write five fields (minute hour day month weekday) or a macro like @daily")]
pub struct BadSchedule(String);

/// No five-field schedule needs longer to hit, 29 February on a given weekday included.
const HORIZON_DAYS: u32 = 366 * 41;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    pub fn parse(text: &str) -> Result<Self, BadSchedule> {
        let bad = || BadSchedule(text.to_owned());
        let fields = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(bad());
        };
        let (minutes, _) = field(minute, 0, 59, &[]).ok_or_else(bad)?;
        let (hours, _) = field(hour, 0, 23, &[]).ok_or_else(bad)?;
        let (days, any_day) = field(day, 1, 31, &[]).ok_or_else(bad)?;
        let (months, _) = field(month, 1, 12, &MONTHS).ok_or_else(bad)?;
        let (weekdays, any_weekday) = field(weekday, 0, 6, &WEEKDAYS).ok_or_else(bad)?;
        Ok(Self {
            minutes,
            hours,
            days,
            months,
            weekdays,
            either_day: !any_day && !any_weekday,
        })
    }

    fn hits_day(&self, date: Date) -> bool {
        let has = |set: u64, n: i8| u32::try_from(n).is_ok_and(|n| set >> n & 1 == 1);
        let weekday = has(self.weekdays, date.weekday().since(Weekday::Sunday));
        let day = has(self.days, date.day());
        has(self.months, date.month())
            && if self.either_day {
                day || weekday
            } else {
                day && weekday
            }
    }

    /// The first hit strictly after `at`; `None` when there never is one.
    pub fn next(&self, at: Timestamp) -> Option<Timestamp> {
        let start = at.to_zoned(TimeZone::UTC).datetime();
        let mut date = start.date();
        for _ in 0..HORIZON_DAYS {
            if self.hits_day(date) {
                let hit = (0..24_i8)
                    .filter(|h| self.hours >> h & 1 == 1)
                    .flat_map(|h| {
                        (0..60_i8)
                            .filter(|m| self.minutes >> m & 1 == 1)
                            .map(move |m| date.at(h, m, 0, 0))
                    })
                    .find(|t| *t > start);
                if let Some(hit) = hit {
                    return hit.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp());
                }
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }
}

/// The bits of one field, and whether it restricts nothing.
fn field(text: &str, low: u32, high: u32, words: &[&str]) -> Option<(u64, bool)> {
    let mut bits = 0;
    let mut any = false;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step)?)),
            None => (part, None),
        };
        let value = |text: &str| -> Option<u32> {
            let found = words.iter().position(|w| text.eq_ignore_ascii_case(w));
            match found {
                // Month names count from 1, weekdays from 0: both from `low`.
                Some(i) => u32::try_from(i).ok().map(|i| i + low),
                None => number(text),
            }
        };
        let (from, to) = match range {
            "*" | "?" => {
                any |= step.unwrap_or(1) == 1;
                (low, high)
            }
            _ => match range.split_once('-') {
                Some((from, to)) => (value(from)?, value(to)?),
                None if step.is_some() => (value(range)?, high),
                None => (value(range)?, value(range)?),
            },
        };
        let step = step.unwrap_or(1);
        if from < low || to > high || from > to || step == 0 {
            return None;
        }
        let mut n = from;
        while n <= to {
            bits |= 1_u64 << n;
            n = n.checked_add(step)?;
        }
    }
    Some((bits, any))
}

fn number(text: &str) -> Option<u32> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, at: &str) -> Option<String> {
        Schedule::parse(schedule)
            .expect("valid")
            .next(at.parse().expect("time"))
            .map(|t| t.to_string())
    }

    #[test]
    fn next_is_strictly_after() {
        for (schedule, at, want) in [
            ("0 0 * * *", "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
            ("@hourly", "2026-01-05T09:59:59Z", "2026-01-05T10:00:00Z"),
            ("30 6 * * SUN", "2026-01-05T00:00:00Z", "2026-01-11T06:30:00Z"),
            (
                "*/15 9-17 * * mon-fri",
                "2026-01-05T17:45:00Z",
                "2026-01-06T09:00:00Z",
            ),
            ("0 0 29 2 ?", "2026-01-05T00:00:00Z", "2028-02-29T00:00:00Z"),
            // Either day field suffices where both restrict.
            ("0 0 13 * fri", "2026-01-05T00:00:00Z", "2026-01-09T00:00:00Z"),
            ("0 12 1,15 jan *", "2026-01-05T00:00:00Z", "2026-01-15T12:00:00Z"),
        ] {
            assert_eq!(next(schedule, at).as_deref(), Some(want), "{schedule}");
        }
        assert_eq!(next("0 0 31 2 *", "2026-01-05T00:00:00Z"), None);
    }

    /// Case 40 and the extensions that a lenient parser takes.
    #[test]
    fn what_karpenter_refuses_is_refused() {
        for bad in [
            "0 0 * * tue-mon",
            "0 0 * * 7",
            "0 0 0 * * *",
            "0 0 L * *",
            "0 0 15W * *",
            "0 0 * * mon#1",
            "60 0 * * *",
            "*/0 * * * *",
            "@reboot",
            "",
            "a b c d e",
            "0 0 * *",
        ] {
            assert!(Schedule::parse(bad).is_err(), "{bad}");
        }
    }
}
