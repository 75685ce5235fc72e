//! How often something took how long.

/// Counts of what was at most as long as each bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    count: u64,
}

impl Histogram {
    /// With bounds in rising order.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len()], sum: 0.0, count: 0 }
    }

    /// Takes note of one.
    pub fn observe(&mut self, value: f64) {
        let place = self.bounds.iter().position(|bound| value <= *bound);
        if let Some(count) = place.and_then(|at| self.counts.get_mut(at)) {
            *count += 1;
        }
        self.sum += value;
        self.count += 1;
    }

    /// Bounds, and how many were at most that long: each counts those before, too.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let rising = self.counts.iter().scan(0, |all, count| {
            *all += count;
            Some(*all)
        });
        self.bounds.iter().copied().zip(rising)
    }

    /// How long all took together.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_rise_and_what_is_longer_than_all_still_counts() {
        let mut histogram = Histogram::new(&[1.0, 5.0, 10.0]);
        for value in [0.5, 1.0, 1.1, 7.0, 99.0] {
            histogram.observe(value);
        }
        let buckets: Vec<_> = histogram.buckets().collect();
        assert_eq!(buckets, [(1.0, 2), (5.0, 3), (10.0, 4)]);
        assert_eq!(histogram.count(), 5);
        assert!((histogram.sum() - 108.6).abs() < 1e-9);
    }
}
