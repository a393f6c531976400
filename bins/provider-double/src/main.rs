//! Runs the scripted provider by itself.

use anyhow::Context as _;
use clap::Parser;
use duplex_provider_double::{DIRECTIVES, Options, serve};
use tokio::net::TcpListener;

/// A scripted model provider that speaks the Anthropic Messages API and says what the request tells it to say.
#[derive(Parser)]
#[command(version, after_help = DIRECTIVES)]
struct Arguments {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// The key every request must carry [default: none is asked for]
    #[arg(long)]
    key: Option<String>,
    /// Tokens a second where a directive names no rate; 0 is as fast as they can be sent
    #[arg(long, default_value_t = 50)]
    rate: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let options = Options {
        key: arguments.key,
        rate: Some(arguments.rate).filter(|rate| *rate > 0),
        keep: 100,
        ..Options::default()
    };
    let double = serve(listener, options).await?;
    println!("{}", double.base_url());
    tokio::signal::ctrl_c().await?;
    double.abort();
    Ok(())
}
