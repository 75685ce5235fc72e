//! Snippets with the layout that they get; compared with `terraform fmt` 1.11.4, which keeps
//! runs of empty lines and unwraps `"${a}"` where we leave both the author's strings and one
//! empty line.

use super::super::codes;
use super::fmt;

const CASES: &[(&str, &str)] = &[
    ("", ""),
    ("\n\n\na=1\n\n\n\nb=2\n\n\n", "a = 1\n\nb = 2\n"),
    ("a   =1 \t\nbcd=2", "a   = 1\nbcd = 2\n"),
    // A comment line, an empty line or a value of several lines ends a run.
    (
        "a=1\nbbb=[\n1\n]\ncc=2\ndddd={\na=1 }\ne=1\nblock {\n}\nff=1\n# x\nggg=1\n",
        "a = 1\nbbb = [\n  1\n]\ncc = 2\ndddd = {\na = 1 }\ne = 1\nblock {\n}\nff = 1\n# x\nggg = 1\n",
    ),
    // Comments at line ends are aligned with their neighbours.
    (
        "a=1 # x\nbbbbb=2    # y\nc=3\nd=4//z\n",
        "a     = 1 # x\nbbbbb = 2 # y\nc     = 3\nd     = 4 //z\n",
    ),
    (
        "a=1 /* in */ +2\n/* several\n     lines */\nb=1\n",
        "a = 1 /* in */ + 2\n/* several\n     lines */\nb = 1\n",
    ),
    (
        "bucket   \"x\"{\nversioning=true\nexpire{\nafter=\"1d\"\n}\n}\n",
        "bucket \"x\" {\n  versioning = true\n  expire {\n    after = \"1d\"\n  }\n}\n",
    ),
    ("locals{a=1}\n", "locals { a = 1 }\n"),
    ("l=[1,2,  3,\n4,\n5]\n", "l = [1, 2, 3,\n  4,\n5]\n"),
    ("n=[ ]\nk={ }\nm={a=1,b=2}\n", "n = []\nk = {}\nm = { a = 1, b = 2 }\n"),
    (
        "m={\na=1\nbbb   =2\n\"c d\" = 3\ne : 4\n}\n",
        "m = {\n  a     = 1\n  bbb   = 2\n  \"c d\" = 3\n  e : 4\n}\n",
    ),
    // A heredoc stays as it is, its line takes part in the run.
    (
        "a=1\ns=<<EOT\n  keep   this # \n    EOT\ntt=1\n",
        "a  = 1\ns  = <<EOT\n  keep   this # \n    EOT\ntt = 1\n",
    ),
    ("y=upper(<<-B\n  z\nB\n)\n", "y = upper(<<-B\n  z\nB\n)\n"),
    ("f=foo( a,b , [1 , 2]... )\n", "f = foo(a, b, [1, 2]...)\n"),
    (
        "g=a?b:c\nh=-1+2*3 - -4\ni=! true\nj=a [0] . b\nr=x[ * ].y\ns=x.*.y\n",
        "g = a ? b : c\nh = -1 + 2 * 3 - -4\ni = !true\nj = a[0].b\nr = x[*].y\ns = x.*.y\n",
    ),
    (
        "u=\"a\" == \"b\"?-1:-x\nv=a -b\nw=a==-1\nz=5%2\n",
        "u = \"a\" == \"b\" ? -1 : -x\nv = a - b\nw = a == -1\nz = 5 % 2\n",
    ),
    (
        "o=[for x in  y:x if x>1]\np={for k,v in y:k=>v...}\nq=[for x in [1]:x if (x>1)]\n",
        "o = [for x in y : x if x > 1]\np = { for k, v in y : k => v... }\nq = [for x in [1] : x if (x > 1)]\n",
    ),
    ("v=foo({\na=1\n},[\n2\n])\n", "v = foo({\n  a = 1\n  }, [\n  2\n])\n"),
    (
        "k=[for x in y:{\na=1\n}]\nn=[[1,\n2],[3]]\n",
        "k = [for x in y : {\n  a = 1\n}]\nn = [[1,\n2], [3]]\n",
    ),
    ("q = \"a  ${ b+c }  $${\"\n", "q = \"a  ${ b+c }  $${\"\n"),
    ("w=[\n{\na=1\n},\n{\nb=2\n}\n]\n", "w = [\n  {\n    a = 1\n  },\n  {\n    b = 2\n  }\n]\n"),
    ("a=1\r\n\r\n\r\nbc=2\r\n", "a = 1\n\nbc = 2\n"),
    ("\u{feff}a=1\n", "a = 1\n"),
    ("i=(\n1 +\n2\n)\n", "i = (\n  1 +\n  2\n)\n"),
    ("ünï=1\nb=2\n", "ünï = 1\nb   = 2\n"),
];

#[test]
fn snippets_get_their_layout() {
    for (given, expect) in CASES {
        assert_eq!(fmt(given).expect(given), *expect, "{given}");
    }
}

#[test]
fn formatting_twice_changes_nothing_more() {
    for (given, _) in CASES {
        let once = fmt(given).expect(given);
        assert_eq!(fmt(&once).expect(&once), once);
    }
}

#[test]
fn the_result_means_the_same() {
    for (given, expect) in CASES {
        let given = given.trim_start_matches('\u{feff}');
        assert_eq!(hcl::parse(given).ok(), hcl::parse(expect).ok(), "{given}");
        assert!(hcl::parse(given).is_ok(), "{given}");
    }
}

#[test]
fn what_does_not_parse_is_reported_and_left_alone() {
    let problems = fmt("a = \n").expect_err("no value");
    assert_eq!(problems[0].code, codes::SYNTAX);
    assert!(fmt("bucket \"x\" {\n").is_err());
}

#[test]
fn a_large_file_is_formatted_quickly() {
    let text = "bucket \"x\" {\n a=1\n  bbbb = [1,2,{x=1}] # c\n}\n\n\n".repeat(5_000);
    let once = fmt(&text).expect("formatted");
    assert_eq!(fmt(&once).expect("formatted"), once);
}
