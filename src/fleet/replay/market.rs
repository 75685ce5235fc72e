//! Spot capacity over time: the two formats of published traces, and what they do to nodes.

use super::unit::SECOND;

/// How many spot nodes can be had, from a moment on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Market {
    /// (milliseconds since the start, nodes), in order of time.
    pub supply: Vec<(i64, u32)>,
}

impl Market {
    /// Reads a trace of spot capacity: JSON as of skypilot-org/spot-traces,
    /// `{"metadata": {"gap_seconds": N}, "data": [n, …]}`, where a trace of nothing but 0 and 1
    /// says whether there is any at all; or CSV without header as of Bamboo (uclasystem/bamboo),
    /// `milliseconds,add|remove,node`.
    ///
    /// # Errors
    ///
    /// What is wrong, with the line where there is one.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.is_empty() {
            return Err("the file is empty".to_owned());
        }
        if text.starts_with('{') { Self::json(text) } else { Self::events(text) }
    }

    fn json(text: &str) -> Result<Self, String> {
        let all: serde_json::Value =
            serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        let gap = all["metadata"]["gap_seconds"].as_f64().filter(|gap| (1.0..=1e7).contains(gap));
        let gap = gap.ok_or("metadata.gap_seconds is no number of seconds from 1 on")?;
        let data = all["data"].as_array().filter(|data| !data.is_empty());
        let data = data.ok_or("data is no list of numbers of nodes")?;
        let mut counts = Vec::with_capacity(data.len());
        for (at, value) in data.iter().enumerate() {
            let count = value.as_u64().or_else(|| value.as_bool().map(u64::from));
            let count = count.and_then(|count| u32::try_from(count).ok());
            counts
                .push(count.ok_or(format!("data[{at}] is {value}, which is no number of nodes"))?);
        }
        // 0 and 1 alone tell whether there is capacity, not how much.
        let yes_no = counts.iter().all(|count| *count <= 1);
        let count = |count: u32| if yes_no && count == 1 { u32::MAX } else { count };
        let millis = gap * SECOND as f64;
        let supply = counts.iter().enumerate();
        Ok(Self {
            supply: supply.map(|(at, n)| ((at as f64 * millis) as i64, count(*n))).collect(),
        })
    }

    fn events(text: &str) -> Result<Self, String> {
        let mut supply: Vec<(i64, u32)> = Vec::new();
        let mut now = 0_u32;
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line_number = at + 1;
            let wrong = |why: &str| format!("line {line_number}: {why}");
            let mut fields = line.split(',').map(str::trim);
            let (Some(time), Some(verb)) = (fields.next(), fields.next()) else {
                return Err(wrong("a line is `milliseconds,add|remove,node`"));
            };
            let time = time.parse::<i64>().ok().filter(|time| (0..=1 << 50).contains(time));
            let time = time.ok_or_else(|| wrong("the time is no number of milliseconds"))?;
            now = match verb {
                "add" => now.saturating_add(1),
                "remove" => now.checked_sub(1).ok_or_else(|| wrong("no node is left to remove"))?,
                _ => return Err(wrong("the second field is neither `add` nor `remove`")),
            };
            match supply.last_mut() {
                Some((last, _)) if *last > time => return Err(wrong("time goes backwards")),
                Some((last, count)) if *last == time => *count = now,
                Some(_) | None => supply.push((time, now)),
            }
        }
        Ok(Self { supply })
    }
}
