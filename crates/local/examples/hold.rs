//! Holds a private nats-server and Postgres under the folder it is given until it is ended: `hold DATA`.

use duplex_local::{NatsOptions, NatsServer, Postgres, PostgresOptions};
use std::error::Error;
use std::path::PathBuf;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args_os().nth(1).ok_or("usage: hold DATA")?;
    let data = PathBuf::from(data);
    let nats = NatsServer::start(NatsOptions::new(data.join("nats"))).await?;
    let postgres = Postgres::start(PostgresOptions::fast(data.join("postgres"))).await?;
    let held = [nats.identity(), postgres.identity()];
    println!("{}", serde_json::to_string(&held)?);
    std::future::pending::<()>().await;
    Ok(())
}
