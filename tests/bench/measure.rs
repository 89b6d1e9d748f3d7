//! What a run costs: CPU time of this thread, and the peak of the process's memory.

use std::time::Duration;

/// A measured run.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU time of the calling thread; wall time where the kernel does not tell.
    pub time: Duration,
    /// Peak resident memory during the run, in MiB; 0 where the kernel does not tell.
    pub peak_mib: u64,
}

fn on_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

fn peak_mib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

/// Long enough that the grain of the kernel's count, a tick of the scheduler, does not show.
const ENOUGH: Duration = Duration::from_millis(300);

/// The mean of as many runs as it takes to measure well, and what the last returned.
pub fn mean<T>(mut run: impl FnMut() -> T) -> (T, Cost) {
    // Resets the peak; where that is refused the peak is the process's.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let start = now();
    let (mut out, mut runs) = (run(), 1);
    let peak_mib = peak_mib().unwrap_or(0);
    while now().saturating_sub(start) < ENOUGH {
        out = run();
        runs += 1;
    }
    let time = now().saturating_sub(start) / runs;
    (out, Cost { time, peak_mib })
}

/// CPU time of the thread so far, or of the wall since the program began to ask.
fn now() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    on_cpu().unwrap_or_else(|| START.get_or_init(std::time::Instant::now).elapsed())
}
