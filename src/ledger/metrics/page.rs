//! The exposition format of Prometheus, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Content type of [`Page::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug)]
struct Family {
    kind: Type,
    help: &'static str,
    /// Suffix and labels as written → value, in the order they came.
    rows: Vec<(String, f64)>,
}

/// Families by name.
#[derive(Debug, Default)]
pub struct Page(BTreeMap<String, Family>);

impl Page {
    pub fn gauge(&mut self, name: &str, help: &'static str, labels: &[(&str, &str)], value: f64) {
        self.row(name, "", Type::Gauge, help, labels, value);
    }

    pub fn counter(&mut self, name: &str, help: &'static str, labels: &[(&str, &str)], value: f64) {
        self.row(name, "", Type::Counter, help, labels, value);
    }

    /// `buckets`: (upper edge, count of values up to it), rising.
    pub fn histogram(
        &mut self,
        name: &str,
        help: &'static str,
        labels: &[(&str, &str)],
        buckets: &[(f64, u64)],
        (sum, count): (f64, u64),
    ) {
        for (edge, n) in buckets {
            let edge = number(*edge);
            let with: Vec<(&str, &str)> = labels.iter().copied().chain([("le", edge.as_str())]).collect();
            self.row(name, "_bucket", Type::Histogram, help, &with, whole(*n));
        }
        let with: Vec<(&str, &str)> = labels.iter().copied().chain([("le", "+Inf")]).collect();
        self.row(name, "_bucket", Type::Histogram, help, &with, whole(count));
        self.row(name, "_sum", Type::Histogram, help, labels, sum);
        self.row(name, "_count", Type::Histogram, help, labels, whole(count));
    }

    fn row(
        &mut self,
        name: &str,
        suffix: &str,
        kind: Type,
        help: &'static str,
        labels: &[(&str, &str)],
        value: f64,
    ) {
        let mut line = suffix.to_owned();
        for (i, (key, text)) in labels.iter().enumerate() {
            line.push(if i == 0 { '{' } else { ',' });
            let _ = write!(line, "{key}=\"");
            for c in text.chars() {
                match c {
                    '\\' => line.push_str("\\\\"),
                    '"' => line.push_str("\\\""),
                    '\n' => line.push_str("\\n"),
                    c => line.push(c),
                }
            }
            line.push('"');
        }
        if !labels.is_empty() {
            line.push('}');
        }
        let family = self.0.entry(name.to_owned()).or_insert(Family {
            kind,
            help,
            rows: Vec::new(),
        });
        family.rows.push((line, value));
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        for (name, family) in &self.0 {
            let kind = match family.kind {
                Type::Counter => "counter",
                Type::Gauge => "gauge",
                Type::Histogram => "histogram",
            };
            let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
            for (line, value) in &family.rows {
                let _ = writeln!(out, "{name}{line} {}", number(*value));
            }
        }
        out
    }
}

/// Counts are exact up to 2⁵³.
#[allow(clippy::cast_precision_loss)]
pub fn whole(n: u64) -> f64 {
    n as f64
}

fn number(value: f64) -> String {
    format!("{value}")
}
