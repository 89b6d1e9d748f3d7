//! Holds a paused clock back to a multiple of the wall's time (decisions §2). A paused clock jumps from timer to timer
//! while nothing runs; a blocking call that is under way stops it, so the pacer sleeps for a tick of the world's time
//! and then blocks until the wall has caught up. Results do not depend on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// Wall time between two looks at the clock.
const TICK: Duration = Duration::from_millis(10);
/// How far the world runs between two looks at the speed when nothing holds it.
const FREE_RUN: Duration = Duration::from_secs(1);

/// Never ends. `times` is how much faster than the wall the world runs, and may change at any moment; 0 = as fast as
/// it can.
pub async fn pace(clock: Clock, times: Arc<AtomicU32>) {
    // The one place where the wall matters: nothing reads it but this loop.
    let mut due = Instant::now();
    loop {
        let speed = times.load(Ordering::Relaxed);
        if speed == 0 {
            clock.sleep(FREE_RUN).await;
            due = Instant::now();
            continue;
        }
        clock.sleep(TICK * speed).await;
        due += TICK;
        let now = Instant::now();
        match due.checked_duration_since(now) {
            // A failed hold (the runtime is shutting down) only means less waiting.
            Some(wait) => {
                let _ = tokio::task::spawn_blocking(move || std::thread::sleep(wait)).await;
            }
            // The world is slower than asked for: what is lost is not caught up with.
            None => due = now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_world_runs_at_the_speed_asked_for() {
        let clock = Clock::starting_at("2026-01-05T09:00:00Z".parse().expect("a time"));
        let speed = Arc::new(AtomicU32::new(100));
        tokio::spawn(pace(clock, speed.clone()));
        let begun = Instant::now();
        clock.sleep(Duration::from_secs(20)).await;
        let took = begun.elapsed();
        assert!(
            took >= Duration::from_millis(180),
            "20 s at 100 times take 200 ms: {took:?}"
        );
        speed.store(0, Ordering::Relaxed);
        let begun = Instant::now();
        clock.sleep(Duration::from_secs(3600)).await;
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
