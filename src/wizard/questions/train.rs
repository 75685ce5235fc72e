//! What trains: accelerators, how many, in how many nodes, how they are bought.

use crate::model::{Money, Region};

use super::super::gpus::{Gpu, gpus};
use super::super::question::{Choice, Question, Scene, choice};
use super::check;

/// The word for accelerators of any name.
const MEMORY: &str = "memory";

pub(super) fn questions() -> Vec<Question> {
    vec![gpu(), gpu_memory(), gpus_per_node()]
}

/// How many nodes, asked once it is known what decides.
pub(super) fn size() -> Vec<Question> {
    vec![nodes(), min(), max(), gang(), capacity(), anyway(), max_price()]
}

/// What the region offers.
fn offered(scene: Scene<'_>) -> Vec<Gpu> {
    gpus(scene.around, &Region::from(scene.get("region")))
}

/// The accelerators that the answers mean.
pub(super) fn meant(scene: Scene<'_>) -> Vec<Gpu> {
    let all = offered(scene);
    if !scene.is("gpu", MEMORY) {
        return all.into_iter().filter(|gpu| gpu.name == scene.get("gpu")).collect();
    }
    let least = scene.number("gpu_memory");
    let enough = |gpu: &Gpu| gpu.memory.parse::<f64>().is_ok_and(|it| it >= f64::from(least));
    all.into_iter().filter(enough).collect()
}

fn gpu() -> Question {
    Question::new(
        "gpu",
        "Which GPU?",
        "What one node costs depends on this most; the least known price stands first.",
    )
    .help(
        "Small models and experiments fit on A10G or L4 (24 GiB), larger ones on L40S (48) or \
         A100 (40, 80); training over many nodes wants H100, H200 or B200, whose nodes have EFA \
         networks. `memory` takes whatever has enough memory, the cheapest first. Prices are on \
         demand, per node and hour; nothing is launched here. Memory is told as makers count it: \
         EC2, and so `mlinfra offers`, says 22.4 GiB of an A10G's 24.",
    )
    .choices(|scene| {
        let mut out: Vec<Choice> =
            offered(scene).iter().map(|gpu| choice(&gpu.name, gpu.says())).collect();
        out.push(choice(MEMORY, "any GPU with enough memory: the next question asks how much"));
        out
    })
    .default(|scene| {
        let all = offered(scene);
        let usual = all.iter().find(|gpu| gpu.name == "A10G").or(all.first());
        Some(usual.map_or_else(|| MEMORY.to_owned(), |gpu| gpu.name.clone()))
    })
    .required()
}

fn gpu_memory() -> Question {
    Question::new(
        "gpu_memory",
        "How much memory must each GPU have, in GiB?",
        "Every GPU with so much or more is considered, the cheapest first.",
    )
    .help(
        "As makers say it: 16, 24, 40, 48, 80, 141 GiB. As a rule of thumb, full training with \
         Adam in mixed precision takes 16 bytes for each parameter, spread over all GPUs \
         (ZeRO, https://arxiv.org/abs/1910.02054), beside what activations need.",
    )
    .or("24")
    .check(|text, scene| {
        let text = text.trim_end_matches("GiB").trim_end_matches("GB").trim();
        let text = check::whole(text, 1, 1024)?;
        let least: u32 = text.parse().unwrap_or(0);
        let all = offered(scene);
        let sizes = all.iter().filter_map(|gpu| gpu.memory.parse::<f64>().ok());
        let most = sizes.fold(0.0, f64::max);
        if f64::from(least) > most {
            let region = scene.get("region");
            return Err(format!("no GPU in {region} has {least} GiB; the largest has {most}"));
        }
        Ok(text)
    })
    .when(|scene| scene.is("gpu", MEMORY))
}

fn gpus_per_node() -> Question {
    Question::new(
        "gpus",
        "How many GPUs in each node?",
        "A job on one node uses these together; several nodes talk over the network.",
    )
    .help(
        "Instance types come with fixed numbers of GPUs. More in one node are faster together \
         than the same number in several; fewer leave less idle between jobs.",
    )
    .choices(|scene| {
        let mut counts: std::collections::BTreeMap<u32, Option<Money>> = Default::default();
        for gpu in meant(scene) {
            for (count, price) in gpu.counts {
                let least = counts.entry(count).or_default();
                *least = (*least).into_iter().chain(price).min();
            }
        }
        let says = |price: Option<Money>| match price {
            Some(price) => format!("a node from {price}/h"),
            None => "price not known".to_owned(),
        };
        counts.into_iter().map(|(count, price)| choice(count.to_string(), says(price))).collect()
    })
    .default(|scene| {
        meant(scene).iter().filter_map(|gpu| gpu.counts.keys().next()).min().map(u32::to_string)
    })
    .check(|text, _| check::whole(text, 1, 64))
}

fn nodes() -> Question {
    Question::new("nodes", "How many nodes?", "All of them run, and are paid for, all the time.")
        .help(
            "`mlinfra apply` with another number makes more or fewer. For nodes that come and go \
             with the work, go back (`<`) and choose where the work is read from.",
        )
        .or("1")
        .required()
        .check(|text, _| check::whole(text, 1, 1000))
        .when(|scene| scene.is("engine", "none"))
}

fn min() -> Question {
    Question::new("min", "How many nodes at least?", "So many run even when no work waits.")
        .help(
            "With 0 nothing runs, and nothing is paid for nodes, while there is no work; the \
               first job then waits for a node to boot, about five minutes.",
        )
        .or("0")
        .check(|text, _| check::whole(text, 0, 1000))
        .when(|scene| !scene.is("engine", "none"))
}

fn max() -> Question {
    Question::new("max", "How many nodes at most?", "However much waits, no more are launched.")
        .help("The most that the cluster can cost is this number times the price of a node.")
        .default(|scene| Some(scene.number("min").max(4).to_string()))
        .required()
        .check(|text, scene| check::whole(text, scene.number("min").max(1), 1000))
        .when(|scene| !scene.is("engine", "none"))
}

fn gang() -> Question {
    Question::new(
        "gang",
        "Do the nodes work on one job together?",
        "A gang starts as a whole, in one zone on one type, or not at all.",
    )
    .help(
        "`yes` for training over several nodes: half of them would only cost money. `no` for \
         many small jobs: whatever can be had starts.",
    )
    .either(&[
        ("yes", "a gang: all nodes at once, close together, or none"),
        ("no", "single nodes: each starts where there is room"),
    ])
    .default(|scene| {
        let gpus = scene.number("gpus");
        let fast = meant(scene).iter().any(|gpu| gpu.efa.contains(&gpus));
        Some(if fast { "yes" } else { "no" }.to_owned())
    })
    .when(|scene| scene.most_nodes() > 1)
}

fn capacity() -> Question {
    Question::new(
        "capacity",
        "How are nodes bought?",
        "Spot is cheaper, and AWS may take a node back with two minutes' notice.",
    )
    .help(
        "On demand is the list price. Spot is spare capacity for less; a job there must write \
         checkpoints, and a gang starts again when one of its nodes goes. Reservations and \
         Capacity Blocks are written by hand: see `capacity` in docs/reference.md.",
    )
    .either(&[
        ("on-demand", "the list price; nodes stay"),
        ("spot-first", "spot where there is some, otherwise on demand"),
        ("spot", "spot or nothing"),
    ])
    .or("on-demand")
}

fn anyway() -> Question {
    Question::new(
        "anyway",
        "Nothing here fits. Write it all the same?",
        "With these answers no node could be launched in this region.",
    )
    .help(
        "`<` goes back to what can be changed: region, GPU, number per node, how they are \
         bought. `yes` writes the stack as it is; its plan will say what is missing.",
    )
    .either(&[("no", "write nothing"), ("yes", "write it all the same")])
    .or("no")
    .required()
    .stops("no")
    .when(|scene| scene.around.fits.as_ref().is_some_and(|fits| fits.offers == 0))
}

fn max_price() -> Question {
    Question::new(
        "max_price",
        "What may one node cost an hour at most, in dollars?",
        "A guard rail: types that cost more are never launched. `none` for no limit.",
    )
    .help(
        "Where the first offer has no capacity the next ones are tried, which cost more. This \
         is the most that one node may cost; what has no known price is then not launched. The \
         default is the best offer on demand and a half, or on spot where that alone is taken; no \
         limit where no price is known.",
    )
    .default(|scene| {
        let price = scene.around.fits.as_ref().and_then(|fits| fits.fallback.or(fits.price));
        Some(price.map_or_else(|| "none".to_owned(), |price| padded(price, 15)))
    })
    .check(|text, scene| {
        let text = check::dollars(text)?;
        let best = scene.around.fits.as_ref().and_then(|fits| fits.price);
        match (text.parse().map(Money::new), best) {
            (Ok(most), Some(best)) if most < best => {
                Err(format!("{most} is less than the best offer, {best}: nothing would launch"))
            }
            (_, _) => Ok(text),
        }
    })
}

/// So many tenths of a price, rounded up to cents.
pub(super) fn padded(price: Money, tenths: u32) -> String {
    use rust_decimal::RoundingStrategy::AwayFromZero;
    let sum = (price * tenths).over(10).unwrap_or(price).dollars();
    sum.round_dp_with_strategy(2, AwayFromZero).normalize().to_string()
}
