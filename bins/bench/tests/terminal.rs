//! The benchmark of terminals measures all that it names: a whole server, a short flood.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_bench::terminal::{Using, run};

#[tokio::test]
async fn every_figure_of_a_terminal_is_measured() {
    let using = Using {
        keys: 5,
        megabytes: 1,
        rounds: 1,
        stall: 1,
        sync: true,
        release: false,
    };

    let report = run(using).await.unwrap();

    let figure = |what: &str| {
        let mut rows = report.rows.iter();
        rows.find(|row| row.what.starts_with(what)).unwrap().duplex
    };
    for what in [
        "key to echo",
        "Ctrl-C",
        "flood, to",
        "join behind the flood, to",
    ] {
        assert!(figure(what) > 0.0, "{what}");
    }
    assert!(figure("join behind the flood, sent") < 200.0);
}
