//! The process dies right after its n-th effect and is started again on the same state: the work goes on.

use jiff::SignedDuration;

use crate::support::{demo, folder, kerf, number};

const STORY: [&str; 6] = ["--scenario", "inflate", "--seed", "7", "--mode", "auto"];

#[test]
fn a_death_between_any_two_effects_is_resumed() {
    // Launches and registrations come first, then disruptions and drains from the twelfth minute on.
    for effects in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 120, 150] {
        let dir = folder(&format!("between-{effects}"));
        let state = dir.to_str().expect("text");
        let args = [&STORY[..], &["--state", state]].concat();
        let count = effects.to_string();
        let dies = [
            &["demo", "--headless", "--output", "json", "--for", "55m"],
            &args[..],
            &["--die-after-effects", &count],
        ]
        .concat();
        let run = kerf(&dies);
        assert_eq!(run.code, Some(137), "after {effects}: {}", run.stderr);
        let story = demo(&[&args[..], &["--for", "29m"]].concat());
        let s = &story.summary;
        assert_eq!(number(s, "/orphans"), 0, "after {effects}: {s}");
        // The scenario begins anew after half an hour: pods may have come just before the end.
        let waiting = story.waiting(SignedDuration::from_mins(4));
        assert!(waiting.is_empty(), "after {effects}: {waiting:?} {s}");
        std::fs::remove_dir_all(dir).expect("clean");
    }
}
