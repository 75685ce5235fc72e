//! Plans as text, exactly.

use serde_json::json;

use super::fixture::{at, bill, bucket, create, fresh, mixed, step, update};
use super::golden::check;
use super::plan::{text, text_after};
use super::screen::Screen;
use crate::kinds::{Plan, Why};

const NARROW: Screen = Screen { width: 40, ..Screen::PLAIN };
const VERBOSE: Screen = Screen { verbose: true, ..Screen::PLAIN };
const COLOUR: Screen = Screen { colour: true, ..Screen::PLAIN };

#[test]
fn a_first_plan() {
    check("plan_fresh.txt", &text(&fresh(), &Screen::PLAIN));
    check("plan_fresh_40.txt", &text(&fresh(), &NARROW));
    check("plan_fresh_verbose.txt", &text(&fresh(), &VERBOSE));
}

#[test]
fn a_plan_with_its_costs_at_three_widths_and_read_aloud() {
    let (plan, bill) = (fresh(), bill());
    let shown = |screen: Screen| {
        let headed = super::plan::headed(&plan, &screen);
        text_after(&plan, (Some(&bill), None), &screen)
            + &super::cost::plan(&bill, &headed, &screen)
    };
    for width in [60, 80, 160] {
        let text = shown(Screen { width, ..Screen::PLAIN });
        check(&format!("plan_priced_{width}.txt"), &text);
        let wide = |line: &&str| line.chars().count() > width && line.trim().contains(' ');
        assert_eq!(text.lines().find(wide), None);
    }
    let plain = Screen { plain: true, width: usize::MAX, ..Screen::PLAIN };
    let text = shown(plain);
    check("plan_plain.txt", &text);
    let signs = |line: &&str| line.starts_with([' ', '+', '-', '~', '#']) || line.contains("  ");
    assert_eq!(text.lines().find(signs), None, "{text}");
}

#[test]
fn changes_of_every_sort() {
    check("plan_mixed.txt", &text(&mixed(), &Screen::PLAIN));
    check("plan_mixed_40.txt", &text(&mixed(), &NARROW));
    check("plan_mixed_verbose.txt", &text(&mixed(), &VERBOSE));
}

#[test]
fn no_changes() {
    let plan = Plan { unchanged: 14, ..Plan::default() };
    let words = "No changes. The cloud matches the configuration. (14 objects)\n";
    assert_eq!(text(&plan, &Screen::PLAIN), words);
}

#[test]
fn colour_adds_escape_codes_and_nothing_else() {
    for plan in [fresh(), mixed()] {
        let coloured = text(&plan, &COLOUR);
        assert!(coloured.contains("\u{1b}[32m+"));
        assert_eq!(stripped(&coloured), text(&plan, &Screen::PLAIN));
    }
}

fn stripped(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or(part, |(_, rest)| rest))
}

#[test]
fn no_line_is_wider_than_the_screen_unless_one_word_is() {
    for width in [40, 60, 80, 120] {
        for plan in [fresh(), mixed()] {
            for line in text(&plan, &Screen { width, ..Screen::PLAIN }).lines() {
                let one_word = line.split_whitespace().count() == 1;
                assert!(one_word || line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn updates_that_are_alike_are_one_card() {
    let tagged = |name: &str, tags| bucket(name, true, json!(null), tags);
    let steps = (0..3).map(|i| {
        let name = format!("acme-{i}");
        let change = update(&name, tagged(&name, json!({})), tagged(&name, json!({"team": "ml"})));
        step(&format!("bucket.data={i}"), change, Why::Changed, &[])
    });
    let plan = Plan { steps: steps.collect(), ..Plan::default() };
    let wanted = "\
mlinfra will do what follows. The signs mean:
  ~ update in-place

bucket.data
  ~ bucket.data[*]  bucket × 3
      [0], [1], [2]
      + tags.team: \"ml\"

Plan: 0 to add, 3 to change, 0 to delete.
";
    assert_eq!(text(&plan, &Screen::PLAIN), wanted);
}

#[test]
fn hostile_names_cannot_move_the_cursor() {
    let made = bucket("a\u{1b}[2Jb\u{202e}", true, json!(null), json!({"k\n": "v\u{9b}"}));
    let mut key = at("bucket.data");
    key.key = Some(crate::model::Key::Name("\u{1b}]0;x\u{7}".to_owned()));
    let mut made = step("bucket.data", create(made), Why::Missing, &[]);
    made.address = key;
    let plan = Plan { steps: vec![made], ..Plan::default() };
    for screen in [Screen::PLAIN, VERBOSE] {
        let shown = text(&plan, &screen);
        assert!(!shown.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')));
        assert!(shown.contains(r#"name"#) && shown.contains(r"a\u{1b}[2Jb\u{202e}"));
    }
}
