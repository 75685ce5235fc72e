//! What the nodes of a cluster may be: from its needs to instance types.

use std::collections::BTreeSet;

use crate::catalog::{
    AcceleratorNeed, BadNeed, Catalog, InstanceType, Maker, Need, Size, image_architecture,
    image_driver,
};
use crate::lang::{Evaluated, Value};
use crate::model::{Block, Problem};

use super::desired::Rejected;
use super::size;
use super::wrong::wrong;

/// Attributes that say what a node must be or have.
const ATTRIBUTES: [&str; 5] = ["instance_type", "instance_types", "accelerators", "cpus", "memory"];

/// An instance type that would do.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Its name.
    pub name: String,
    /// What the catalogue knows of it.
    pub known: Option<InstanceType>,
    /// How far down the author's list it stands.
    pub rank: usize,
}

impl Candidate {
    fn maker(&self) -> Option<Maker> {
        self.known.as_ref().and_then(InstanceType::maker)
    }
}

/// What machines may be made of, as far as their set-up depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hardware {
    /// NVIDIA's GPUs.
    pub nvidia: bool,
    /// EFA devices.
    pub efa: bool,
}

/// What a cluster's needs come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    /// Types that would do.
    pub fit: Vec<Candidate>,
    /// Types that nearly would.
    pub unfit: Vec<Rejected>,
    /// What is wrong with the needs.
    pub problems: Vec<Problem>,
}

impl Candidates {
    /// Whether nodes of this type have EFA, all of them.
    pub fn have_efa(&self) -> bool {
        let efa = |one: &Candidate| one.known.as_ref().is_some_and(|found| found.efa > 0);
        !self.fit.is_empty() && self.fit.iter().all(efa)
    }

    /// What its machines may be made of.
    pub fn hardware(&self) -> Hardware {
        let efa = |one: &Candidate| one.known.as_ref().is_some_and(|found| found.efa > 0);
        Hardware { nvidia: self.have_nvidia(), efa: self.fit.iter().any(efa) }
    }

    /// Whether nodes of a block that may be these stand in a placement group of their own. Such a
    /// group lies in one zone: it would keep nodes that need not be alike from what others have.
    pub fn stand_close(&self, block: &Evaluated) -> bool {
        match block.attr("placement").and_then(Value::as_str) {
            Some("cluster") => true,
            Some("none") => false,
            Some(_) | None => {
                let gang = size::gang(block).unwrap_or(true);
                block.word == Block::Cluster.word() && self.have_efa() && gang
            }
        }
    }

    /// Whether nodes of this cluster may have NVIDIA GPUs.
    fn have_nvidia(&self) -> bool {
        self.fit.iter().any(|one| one.maker() == Some(Maker::Nvidia))
    }

    /// Whether all nodes of this cluster have Trainium or Inferentia.
    fn are_neuron(&self) -> bool {
        !self.fit.is_empty() && self.fit.iter().all(|one| one.maker() == Some(Maker::Neuron))
    }

    /// The most accelerators that any of them has; none where one of them is not known.
    pub fn most_gpus(&self) -> Option<u32> {
        let counts = self.fit.iter().map(|one| one.known.as_ref().map(InstanceType::accelerators));
        counts.collect::<Option<Vec<u32>>>()?.into_iter().max()
    }

    /// What the first of them with accelerators has.
    pub fn accelerated(&self) -> Option<String> {
        let mut known = self.fit.iter().filter_map(|one| one.known.as_ref());
        known.find(|it| it.maker().is_some()).map(InstanceType::accelerator_words)
    }

    /// Their names.
    pub fn names(&self) -> BTreeSet<String> {
        self.fit.iter().map(|one| one.name.clone()).collect()
    }
}

/// The image that a block names, or the default: what has the driver of its accelerators.
pub(super) fn image<'a>(block: &'a Evaluated, candidates: &Candidates) -> &'a str {
    let service = block.word == Block::Service.word();
    let default = match (candidates.have_nvidia(), candidates.are_neuron()) {
        (true, _) => "dlami-base",
        (false, true) => "dlami-neuron",
        (false, false) if service => "ubuntu-24.04",
        (false, false) => "dlami-base",
    };
    block.attr("image").and_then(Value::as_str).unwrap_or(default)
}

/// Leaves out what the image cannot boot on or has no driver for: EC2 refuses the one, and nodes of
/// the other would only fail their boot check.
fn with_image(block: &Evaluated, out: &mut Candidates) {
    if block.attr("image").is_some_and(Value::holds_unknown) {
        return;
    }
    let image = image(block, out);
    let mut fit = Vec::new();
    let mut others = Vec::new();
    for one in std::mem::take(&mut out.fit) {
        match against(image, &one) {
            None => fit.push(one),
            Some(why) => others.push(Rejected { what: one.name, why }),
        }
    }
    out.fit = fit;
    if let (true, Some(first)) = (out.fit.is_empty(), others.first())
        && let Some(value) = block.attr("image").or_else(|| place(block))
    {
        let text = format!("{} {}", first.what, first.why);
        out.problems.push(wrong(value, text, IMAGES));
    }
    out.unfit.append(&mut others);
}

/// Takes EFA away from every type, or leaves out those without it.
fn with_efa(block: &Evaluated, out: &mut Candidates) {
    let Some(wanted) = block.attr("efa").and_then(Value::as_bool) else { return };
    if !wanted {
        out.fit.iter_mut().filter_map(|one| one.known.as_mut()).for_each(|known| known.efa = 0);
        return;
    }
    let has = |one: &Candidate| one.known.as_ref().is_some_and(|known| known.efa > 0);
    let (fit, others): (Vec<_>, Vec<_>) = std::mem::take(&mut out.fit).into_iter().partition(has);
    let why = |one: &Candidate| match &one.known {
        Some(_) => "has no EFA",
        None => "is not in the catalogue: whether it has EFA is not known",
    };
    out.unfit.extend(others.into_iter().map(|one| {
        let why = why(&one).to_owned();
        Rejected { what: one.name, why }
    }));
    out.fit = fit;
}

/// Leaves out types that cannot stand close together where the author wants that: EC2 refuses them.
fn with_placement(block: &Evaluated, out: &mut Candidates) {
    let value = block.attr("placement").filter(|it| it.as_str() == Some("cluster"));
    let Some(value) = value else { return };
    // What the catalogue does not know is taken at its word.
    let can = |one: &Candidate| one.known.as_ref().is_none_or(InstanceType::stands_close);
    let (fit, others): (Vec<_>, Vec<_>) = std::mem::take(&mut out.fit).into_iter().partition(can);
    let why = "goes into no cluster placement group";
    if let (true, Some(first)) = (fit.is_empty(), others.first()) {
        let help = "leave `placement` out, or ask for a type that can stand in one \
                    (`mlinfra catalog show TYPE` says so)";
        out.problems.push(wrong(value, format!("{} {why}", first.name), help));
    }
    let no = others.into_iter().map(|one| Rejected { what: one.name, why: why.to_owned() });
    out.unfit.extend(no);
    out.fit = fit;
}

const IMAGES: &str = "dlami-neuron is for Trainium and Inferentia, dlami-base and dlami-pytorch for\n\
                      NVIDIA's GPUs; for arm64 write an image's id or an SSM parameter";

/// Why nodes of a type cannot use an image, where that is known.
fn against(image: &str, one: &Candidate) -> Option<String> {
    let known = one.known.as_ref()?;
    if let Some(made) = image_architecture(image)
        && known.architecture != made
    {
        return Some(format!("is {}, and the image {image} is for {made}", known.architecture));
    }
    let (driver, maker) = (image_driver(image)?, known.maker()?);
    let has = known.accelerator_words();
    let text = || format!("has {has}, and the image {image} has no driver for it");
    (driver != maker).then(text)
}

/// The first attribute of a block that says what its nodes must be.
pub(super) fn place(block: &Evaluated) -> Option<&Value> {
    ATTRIBUTES.iter().find_map(|name| block.attr(name))
}

/// Reads the needs of a cluster and finds the types that have them.
pub(super) fn candidates(block: &Evaluated, catalog: &Catalog) -> Candidates {
    let mut out = Candidates::default();
    let written: Vec<&Value> = ATTRIBUTES.iter().filter_map(|name| block.attr(name)).collect();
    if written.is_empty() {
        let help = "write accelerators = \"H100:8\", instance_type = \"p5.48xlarge\", or cpus and \
                    memory";
        let text = format!("a {} must say what its nodes are", block.word);
        out.problems.push(Problem::error("S001", text).help(help).at(&block.span, ""));
    }
    // Under `validate` nothing can be said of what is not known yet.
    if written.is_empty() || written.iter().any(|value| value.holds_unknown()) {
        return out;
    }
    let need = read(block, &mut out.problems);
    if need.types.is_empty() {
        of_catalogue(&need, catalog, &mut out)
    } else {
        named(&need, catalog, &mut out)
    }
    with_image(block, &mut out);
    with_efa(block, &mut out);
    with_placement(block, &mut out);
    if out.fit.is_empty()
        && out.problems.is_empty()
        && let Some(value) = place(block)
    {
        out.problems.push(none_fits(value, &out.unfit));
    }
    out
}

fn none_fits(value: &Value, unfit: &[Rejected]) -> Problem {
    let near: Vec<String> =
        unfit.iter().take(4).map(|one| format!("{} {}", one.what, one.why)).collect();
    let help = if near.is_empty() {
        "check the name of the accelerator; `instance_type` takes any type of AWS's".to_owned()
    } else {
        near.join("\n")
    };
    wrong(value, "no instance type of the catalogue has that", &help)
}

fn read(block: &Evaluated, problems: &mut Vec<Problem>) -> Need {
    let mut need = Need::default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let listed = |name: &str| block.attr(name).and_then(Value::as_list).unwrap_or_default();
    need.types = listed("instance_types").iter().filter_map(text).collect();
    if let Some(value) = block.attr("instance_type") {
        if !need.types.is_empty() {
            let help = "write all of them into `instance_types`, in order of preference";
            problems.push(wrong(
                value,
                "instance_type and instance_types exclude each other",
                help,
            ));
        }
        need.types.extend(text(value));
    }
    let mut keep = |value: &Value, read: Result<AcceleratorNeed, BadNeed>| match read {
        Ok(found) => need.accelerators.push(found),
        Err(bad) => problems.push(wrong(value, bad.to_string(), ACCELERATORS)),
    };
    if let Some(value) = block.attr("accelerators") {
        match value.as_list() {
            Some(items) => items.iter().for_each(|item| keep(item, accelerator(item))),
            None => keep(value, accelerator(value)),
        }
    }
    need.cpus = size(block, "cpus", problems);
    need.memory = size(block, "memory", problems);
    need
}

const ACCELERATORS: &str = "write \"H100:8\", \"A100-80GB:8\", a list of such, the first best, or \
                            { memory = \">=80GiB\", count = 8 }";

fn accelerator(value: &Value) -> Result<AcceleratorNeed, BadNeed> {
    if let Some(text) = value.as_str() {
        return AcceleratorNeed::read(text);
    }
    let of = |name: &str| value.as_map().and_then(|map| map.get(name)).filter(|it| !it.is_null());
    let memory = of("memory").and_then(Value::as_str).map(Size::read).transpose()?;
    let count = of("count").and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok());
    Ok(AcceleratorNeed { name: None, memory, count })
}

/// A number, or text such as `>=8`.
fn size(block: &Evaluated, name: &str, problems: &mut Vec<Problem>) -> Option<Size> {
    let value = block.attr(name)?;
    let read = match (value.as_number(), value.as_str()) {
        (Some(number), _) => Size::read(&number.to_string()),
        (None, text) => Size::read(text.unwrap_or_default()),
    };
    read.map_err(|bad| problems.push(wrong(value, bad.to_string(), "write 8 or \">=8\""))).ok()
}

/// Types that the author names. Those that the catalogue does not know are taken at their word.
fn named(need: &Need, catalog: &Catalog, out: &mut Candidates) {
    for (rank, name) in need.types.iter().enumerate() {
        let known = catalog.get(name).cloned();
        match known.as_ref().map_or(Ok(rank), |found| need.rank(found)) {
            Ok(rank) => out.fit.push(Candidate { name: name.clone(), known, rank }),
            Err(why) => out.unfit.push(Rejected { what: name.clone(), why }),
        }
    }
}

fn of_catalogue(need: &Need, catalog: &Catalog, out: &mut Candidates) {
    for found in catalog.types() {
        let bare = need.accelerators.is_empty() && found.accelerator.is_some();
        let (what, name) = (found.name.clone(), found.name.clone());
        match need.rank(found) {
            // Whoever asks for processors alone does not mean to pay for GPUs.
            Ok(_) if bare => {}
            Ok(_) if found.architecture != "x86_64" => {
                let why = format!("is {}, and images are for x86_64", found.architecture);
                out.unfit.push(Rejected { what, why });
            }
            Ok(rank) => out.fit.push(Candidate { name, known: Some(found.clone()), rank }),
            Err(why) if need.is_near(found) => out.unfit.push(Rejected { what, why }),
            Err(_) => {}
        }
    }
}
