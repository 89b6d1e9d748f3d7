use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Page, Tally};
use crate::ledger::{Body, Cause, Entry};
use crate::model::decision::{Effect, EffectResult, WriteClass};

#[test]
fn the_text_is_what_prometheus_reads() {
    let mut page = Page::default();
    page.gauge("b", "Second.", &[("name", "a \"b\"\\\n")], 1.5);
    page.counter("a", "First.", &[], 2.0);
    page.histogram("c", "Third.", &[("x", "y")], &[(0.5, 1), (1.0, 3)], (2.25, 4));
    let want = "# HELP a First.\n# TYPE a counter\na 2\n\
                # HELP b Second.\n# TYPE b gauge\nb{name=\"a \\\"b\\\"\\\\\\n\"} 1.5\n\
                # HELP c Third.\n# TYPE c histogram\nc_bucket{x=\"y\",le=\"0.5\"} 1\nc_bucket{x=\"y\",le=\"1\"} 3\n\
                c_bucket{x=\"y\",le=\"+Inf\"} 4\nc_sum{x=\"y\"} 2.25\nc_count{x=\"y\"} 4\n";
    assert_eq!(page.text(), want);
}

fn entry(body: Body) -> Entry {
    Entry {
        seq: 0,
        at: Timestamp::UNIX_EPOCH,
        cause: Cause::Engine,
        body,
        note: BTreeMap::new(),
    }
}

fn evict(result: EffectResult) -> Entry {
    entry(Body::Acted {
        id: None,
        class: WriteClass::Complete,
        effect: Effect::Evict {
            namespace: "shop".into(),
            pod: "cart".into(),
            uid: "u".into(),
            node: "n".into(),
            reason: "drifted".into(),
        },
        result,
    })
}

#[test]
fn evictions_are_counted_by_code() {
    let mut tally = Tally::default();
    let refused = EffectResult::Retry {
        message: String::new(),
        reason: "TooManyRequests".into(),
        retry_at: Timestamp::UNIX_EPOCH,
    };
    for result in [EffectResult::Done, refused.clone(), refused] {
        tally.fold(&evict(result));
    }
    let mut page = Page::default();
    tally.put(&mut page);
    let text = page.text();
    assert!(
        text.contains("karpenter_pods_eviction_requests_total{code=\"200\"} 1\n"),
        "{text}"
    );
    assert!(
        text.contains("karpenter_pods_eviction_requests_total{code=\"429\"} 2\n"),
        "{text}"
    );
}
