//! Prometheus' text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write as _;

use super::histogram::Histogram;

/// Families of metrics, one after the other.
#[derive(Default)]
pub struct Exposition(String);

/// Labels, and the value that they belong to.
pub type Sample<'a> = (Vec<(&'static str, &'a str)>, f64);

impl Exposition {
    /// A family of what goes up and down. Without samples nothing is written: what is not known
    /// is not 0.
    pub fn gauge<'a>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = Sample<'a>>,
    ) {
        self.family((name, help, "gauge"), samples);
    }

    /// A family of what only goes up.
    pub fn counter<'a>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = Sample<'a>>,
    ) {
        self.family((name, help, "counter"), samples);
    }

    /// A family of lengths of time.
    pub fn histogram<'a>(
        &mut self,
        name: &str,
        help: &str,
        all: impl IntoIterator<Item = (Vec<(&'static str, &'a str)>, &'a Histogram)>,
    ) {
        let mut first = true;
        for (labels, histogram) in all {
            if std::mem::take(&mut first) {
                self.head(name, help, "histogram");
            }
            let bucket = format!("{name}_bucket");
            let whole = (String::from("+Inf"), count(histogram.count()));
            let buckets =
                histogram.buckets().map(|(bound, number)| (bound.to_string(), count(number)));
            for (bound, value) in buckets.chain([whole]) {
                let mut labels = labels.clone();
                labels.push(("le", &bound));
                self.sample(&bucket, &labels, value);
            }
            self.sample(&format!("{name}_sum"), &labels, histogram.sum());
            self.sample(&format!("{name}_count"), &labels, count(histogram.count()));
        }
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.0
    }

    fn family<'a>(
        &mut self,
        (name, help, kind): (&str, &str, &str),
        samples: impl IntoIterator<Item = Sample<'a>>,
    ) {
        let mut first = true;
        for (labels, value) in samples {
            if std::mem::take(&mut first) {
                self.head(name, help, kind);
            }
            self.sample(name, &labels, value);
        }
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&'static str, &str)], value: f64) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.line(format_args!("{name}{labels} {value}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A String takes everything.
        let _ = writeln!(self.0, "{line}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A whole number as a value.
#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
pub fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_heads_and_labels_are_escaped() {
        let mut out = Exposition::default();
        out.gauge("a_nodes", "What\\is\nit.", [(vec![("q", "a\"b\\c\nd"), ("z", "")], 1.5)]);
        out.counter("a_total", "Nothing.", Vec::new());
        out.counter("b_total", "Two.", [(vec![], 2.0), (vec![("x", "y")], 1e15)]);
        let mut histogram = Histogram::new(&[0.5, 30.0]);
        histogram.observe(7.0);
        out.histogram("c_seconds", "Long.", [(vec![("x", "y")], &histogram)]);
        let wanted = r#"# HELP a_nodes What\\is\nit.
# TYPE a_nodes gauge
a_nodes{q="a\"b\\c\nd",z=""} 1.5
# HELP b_total Two.
# TYPE b_total counter
b_total 2
b_total{x="y"} 1000000000000000
# HELP c_seconds Long.
# TYPE c_seconds histogram
c_seconds_bucket{x="y",le="0.5"} 0
c_seconds_bucket{x="y",le="30"} 1
c_seconds_bucket{x="y",le="+Inf"} 1
c_seconds_sum{x="y"} 7
c_seconds_count{x="y"} 1
"#;
        assert_eq!(out.finish(), wanted);
    }
}
