//! `source "program"`: what a program prints.

use std::time::Duration;

use mlinfra::demand::What;
use mlinfra::fleet::Shape;

use super::{Around, known, told};

#[tokio::test]
async fn what_a_program_prints_is_read_in_the_folder_of_the_stack() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("jobs.json"), r#"[{"gpus":2},{"gpus":1,"count":3}]"#)
        .expect("a file");
    let around = Around::folder(folder.path());
    let source = "source \"program\" {\n command = [\"cat\", \"jobs.json\"]\n}";
    let expect = vec![(1, Shape::single(2)), (3, Shape::single(1))];
    assert_eq!(known(&around.look(source).await), (expect, 0));
}

#[tokio::test]
async fn a_program_that_fails_or_hangs_says_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let around = Around::folder(folder.path());
    for (script, what, part) in [
        ("echo 3; exit 1", What::Answer, "sh ended with exit status: 1: it said nothing"),
        ("printf '\\033[2J' >&2; exit 2", What::Answer, "exit status: 2"),
        ("echo three", What::Answer, "the answer is no JSON"),
        ("true", What::Answer, "the answer is empty"),
        ("echo -3", What::Absurd, "-3 is no number of jobs"),
        ("sleep 60", What::Timeout, "no answer within 1 s"),
    ] {
        let source = format!(
            "source \"program\" {{\n command = [\"sh\", \"-c\", {script:?}]\n timeout = \"1s\"\n}}"
        );
        let begin = std::time::Instant::now();
        let trouble = around.trouble(&source).await;
        assert!(begin.elapsed() < Duration::from_secs(5), "{script}");
        told(&trouble, what, part);
    }
    let missing = around.trouble("source \"program\" {\n command = [\"./none\"]\n}").await;
    told(&missing, What::Setup, "./none cannot be started: No such file");
}
