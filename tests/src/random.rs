use std::sync::atomic::{AtomicU64, Ordering};

/// Chance that can be had again by its seed.
#[derive(Debug)]
pub struct Random(AtomicU64);

impl Random {
    /// A new sequence.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed | 1))
    }

    /// A number below `bound`.
    pub fn below(&self, bound: u64) -> u64 {
        // A linear congruential generator (Knuth's MMIX constants): all that is needed is a spread.
        let step =
            |seed: u64| Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        let seed = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or_default();
        (seed >> 33) % bound
    }
}
