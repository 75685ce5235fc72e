//! Answers → files of HCL with comments, in the standard form.

use crate::lang;

use super::draft::Draft;
use super::hcl::{comment, quoted};
use super::question::Scene;

/// The files of a stack that is made from nothing.
pub fn drafts(scene: Scene<'_>) -> Vec<Draft> {
    let main = [
        head(scene),
        stack(scene),
        network(),
        buckets(scene),
        queue(scene),
        filesystem(scene),
        cluster(scene),
        outputs(scene),
    ];
    vec![draft("main.hcl", &main.concat()), draft("variables.hcl", &variables(scene))]
}

/// In the standard form, so that `fmt` leaves it alone.
pub(super) fn draft(name: &str, text: &str) -> Draft {
    let text = lang::fmt(text).unwrap_or_else(|_| text.to_owned());
    Draft { name: name.to_owned(), text: text.trim_end().to_owned() + "\n" }
}

/// `4 nodes of 8 × H100 in us-east-1`
fn summary(scene: Scene<'_>) -> String {
    let gpu = match scene.get("gpu") {
        "memory" => format!("GPU with {} GiB or more", scene.get("gpu_memory")),
        name => name.to_owned(),
    };
    let nodes = match scene.is("engine", "none") {
        true if scene.number("nodes") == 1 => "one node".to_owned(),
        true => format!("{} nodes", scene.get("nodes")),
        false => format!("{} to {} nodes", scene.get("min"), scene.get("max")),
    };
    format!("{nodes} with {} × {gpu} in {}", scene.get("gpus"), scene.get("region"))
}

fn head(scene: Scene<'_>) -> String {
    let flag = if scene.is_sandbox() { " --sandbox" } else { "" };
    let first = format!("{}: {}.", scene.get("name"), summary(scene));
    let commands = [
        ("plan", "what would be made, why, and what it costs"),
        ("apply", "make it"),
        ("destroy", "take it away again"),
    ];
    let mut out = comment(0, &first) + "# Written by `mlinfra init`; yours from here on.\n#\n";
    for (verb, says) in commands {
        let command = format!("mlinfra {verb}{flag}");
        out.push_str(&format!("#   {command:<26} {says}\n"));
    }
    if scene.is_sandbox() {
        out.push_str("#\n");
        out.push_str(&comment(0, "Without --sandbox the same files are for AWS."));
    }
    out + "#\n# Every block and attribute: mlinfra schema --markdown\n\n"
}

fn stack(scene: Scene<'_>) -> String {
    let mut out = format!("stack {} {{\n", quoted(scene.get("name")));
    out.push_str(&format!("region = {}\n", quoted(scene.get("region"))));
    out.push_str(&guards(scene));
    if scene.has("budget") {
        out.push_str(&comment(
            2,
            "A plan that would cost more an hour at once is refused; one that could grow to more \
             is warned of.",
        ));
        out.push_str("budget {\nper_hour = var.budget_per_hour\n}\n");
    }
    out + "}\n\n"
}

/// What a shipped stack gets, too: whose it is, and where its ledger is kept.
pub(super) fn guards(scene: Scene<'_>) -> String {
    let mut out = String::new();
    if let Some(account) = scene.account().filter(|_| scene.is("guard_account", "yes")) {
        out.push_str("# Credentials of any other account are refused before anything is read.\n");
        out.push_str(&format!("account = {}\n", quoted(account)));
    }
    out.push('\n');
    if let Some(bucket) =
        scene.around.ledger_bucket.as_deref().filter(|_| scene.is("ledger", "bucket"))
    {
        let text = if scene.is_sandbox() {
            "Ledger and lock in a bucket. This one is of the simulated region: for AWS run \
             `mlinfra init` with an account, or write a bucket of yours."
        } else {
            "Ledger and lock in a bucket: whoever applies shares them, from whatever machine. \
             Each stack has a folder of its own there."
        };
        out.push_str(&comment(2, text));
        out.push_str(&format!("backend \"s3\" {{\nbucket = {}\n", quoted(bucket)));
        if let Some(account) = scene.account() {
            out.push_str(&format!("account = {}\n", quoted(account)));
        }
        out.push_str("}\n\n");
    }
    out
}

fn network() -> String {
    let text = "A private and a public subnet in every zone, one NAT gateway, and an endpoint \
                through which traffic to S3 costs nothing. No port is open.";
    comment(0, text) + "network \"main\" {\ncidr = \"10.20.0.0/16\"\n}\n\n"
}

fn buckets(scene: Scene<'_>) -> String {
    let mut out = String::new();
    if scene.is("datasets", "yes") {
        out.push_str("# What is trained on: nodes may read it, and nothing else.\n");
        out.push_str("bucket \"datasets\" {}\n\n");
    }
    if scene.is("checkpoints", "yes") {
        let text = "What training writes. Precious: while it holds anything, neither `destroy` \
                    nor a change deletes it.";
        out.push_str(&comment(0, text));
        out.push_str(
            "bucket \"checkpoints\" {\nprecious = true\n\nexpire {\nprefix = \"tmp/\"\n\
             after = \"14d\"\n}\n}\n\n",
        );
    }
    out
}

fn queue(scene: Scene<'_>) -> String {
    if !scene.is("engine", "sqs") {
        return String::new();
    }
    let text = "One message for each job. A message that three workers took and none finished \
                goes to the dead-letter queue; `job` says what each needs.";
    // A gang is for jobs that take all of its nodes.
    let nodes = if scene.is("gang", "yes") { "var.max_nodes" } else { "1" };
    let job = format!("job = {{ gpus = {}, nodes = {nodes} }}\n", scene.get("gpus"));
    comment(0, text) + "queue \"jobs\" {\n" + &job + "visibility_timeout = \"1h\"\n}\n\n"
}

fn filesystem(scene: Scene<'_>) -> String {
    if !scene.is("scratch", "lustre") {
        return String::new();
    }
    let text = "Fast and shared by all nodes. Scratch: what is only here is lost with a server of \
                it; it is paid for by the hour.";
    let mut out = comment(0, text);
    out.push_str("filesystem \"scratch\" {\ntype = \"lustre\"\ndeployment = \"scratch-2\"\n");
    out.push_str(&format!("network = network.main\nsize = \"{}GiB\"\n", scene.get("lustre_size")));
    if scene.is("datasets", "yes") {
        out.push_str("import = bucket.datasets\n");
    }
    out + "}\n\n"
}

fn cluster(scene: Scene<'_>) -> String {
    let text = match scene.is("engine", "none") {
        true => "The nodes: in private subnets, with rights to exactly what stands here.",
        false => {
            "The nodes: in private subnets, with rights to exactly what stands here. How many \
             there are is decided by `mlinfra autoscale run`, between these bounds."
        }
    };
    let mut out = comment(0, text) + "cluster \"train\" {\nnetwork = network.main\n";
    out.push_str(&accelerators(scene));
    out.push_str(&nodes(scene));
    match scene.get("capacity") {
        "spot-first" => out.push_str("capacity = [\"spot\", \"on-demand\"]\n"),
        "spot" => out.push_str("capacity = [\"spot\"]\n"),
        _ => {}
    }
    if scene.has("max_price") {
        out.push_str(&format!("max_price = {} # USD per node and hour\n", scene.get("max_price")));
    }
    for (key, line) in [
        ("datasets", "read = [bucket.datasets]\n"),
        ("checkpoints", "write = [bucket.checkpoints]\n"),
    ] {
        if scene.is(key, "yes") {
            out.push_str(line);
        }
    }
    if scene.is("engine", "sqs") {
        out.push_str("queue = queue.jobs\n");
    }
    out.push_str(&scratch(scene));
    out.push_str(&access(scene));
    out.push_str(&autoscale(scene));
    out + "}\n\n"
}

fn accelerators(scene: Scene<'_>) -> String {
    let count = scene.get("gpus");
    if !scene.is("gpu", "memory") {
        let need = format!("{}:{count}", scene.get("gpu"));
        return format!("accelerators = {}\n", quoted(&need));
    }
    // EC2 reports up to 7 % less than what makers print on the box.
    let least = scene.number("gpu_memory") * 93 / 100;
    let text = format!(
        "{} GiB as makers count them; EC2 reports a little less (22.4 of 24).",
        scene.get("gpu_memory")
    );
    let need =
        format!("accelerators = {{ memory = \">={}GiB\", count = {count} }}\n", least.max(1));
    comment(2, &text) + &need
}

fn nodes(scene: Scene<'_>) -> String {
    let gang = match scene.get("gang") {
        "yes" => ", gang = true",
        "no" => ", gang = false",
        _ => "",
    };
    match (scene.is("engine", "none"), gang) {
        (true, "") => "nodes = var.nodes\n".to_owned(),
        (true, gang) => format!("nodes = {{ min = var.nodes, max = var.nodes{gang} }}\n"),
        (false, gang) => format!("nodes = {{ min = var.min_nodes, max = var.max_nodes{gang} }}\n"),
    }
}

fn scratch(scene: Scene<'_>) -> String {
    match scene.get("scratch") {
        "nvme" => "\n# The node's own NVMe disks as one file system; gone with the node.\n\
             scratch {\npath = \"/scratch\"\n}\n"
            .to_owned(),
        "lustre" => "\nmount \"/scratch\" {\nfrom = filesystem.scratch\n}\n".to_owned(),
        _ => String::new(),
    }
}

fn access(scene: Scene<'_>) -> String {
    if !scene.is("access", "key") {
        return String::new();
    }
    let mut out = String::from("\n# Who may log in beside those whom Systems Manager lets in.\n");
    out.push_str(&format!("access {{\nssh_keys = [{}]\n", quoted(scene.get("ssh_key"))));
    if scene.has("ssh_from") {
        out.push_str(&format!("from = [{}]\n", quoted(scene.get("ssh_from"))));
    }
    out + "}\n"
}

fn autoscale(scene: Scene<'_>) -> String {
    let pair = |name: &str, key: &str| format!("{name} = {}\n", quoted(scene.get(key)));
    let source = match scene.get("engine") {
        "sqs" => return "\nautoscale {\nidle_timeout = \"5m\"\n}\n".to_owned(),
        "slurm" if scene.is("slurm_ssh", "here") => String::new(),
        "slurm" => pair("ssh", "slurm_ssh"),
        "redis" => pair("url", "redis_url") + &pair("list", "redis_list"),
        "postgres" => pair("url", "postgres_url") + &pair("query", "postgres_query"),
        "prometheus" => pair("url", "prometheus_url") + &pair("query", "prometheus_query"),
        "http" => pair("url", "http_url"),
        "program" => {
            let words: Vec<String> = scene.get("program").split_whitespace().map(quoted).collect();
            format!("command = [{}]\n", words.join(", "))
        }
        _ => return String::new(),
    };
    let engine = scene.get("engine");
    let text = "Where the work is read from; secrets are named here and never written: \
                docs/sources.md.";
    let text = comment(4, text);
    format!(
        "\nautoscale {{\nidle_timeout = \"5m\"\n\n{text}source \"{engine}\" {{\n{source}}}\n}}\n"
    )
}

fn outputs(scene: Scene<'_>) -> String {
    let mut out = String::new();
    let mut output = |name: &str, value: &str, says: &str| {
        out.push_str(&format!(
            "output \"{name}\" {{\nvalue = {value}\ndescription = \"{says}\"\n}}\n\n"
        ));
    };
    if scene.is("engine", "sqs") {
        output("queue_url", "queue.jobs.url", "Where to send jobs.");
    }
    for (key, says) in [
        ("datasets", "Where to put what is trained on."),
        ("checkpoints", "Where training writes."),
    ] {
        if scene.is(key, "yes") {
            output(key, &format!("\"s3://${{bucket.{key}.name}}\""), says);
        }
    }
    out
}

fn variables(scene: Scene<'_>) -> String {
    let mut out = comment(
        0,
        "What differs from day to day: `--var nodes=4`, or a file for each environment, \
         env/dev.hcl and --env dev.",
    ) + "\n";
    let mut variable = |name: &str, value: &str, says: &str| {
        out.push_str(&format!(
            "variable \"{name}\" {{\ntype = number\ndefault = {value}\ndescription = \"{says}\"\n}}\n\n"
        ));
    };
    if scene.is("engine", "none") {
        variable("nodes", scene.get("nodes"), "How many nodes run.");
    } else {
        variable("min_nodes", scene.get("min"), "How many nodes run even when no work waits.");
        variable("max_nodes", scene.get("max"), "How many nodes run at most.");
    }
    if scene.has("budget") {
        variable(
            "budget_per_hour",
            scene.get("budget"),
            "The most that the stack may cost, USD per hour.",
        );
    }
    out.replace(
        "--var nodes=4",
        if scene.is("engine", "none") { "--var nodes=4" } else { "--var max_nodes=4" },
    )
}
