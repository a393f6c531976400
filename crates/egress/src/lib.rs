//! The one way out of a sandbox: names on a list, at public addresses, each request told.

mod address;
mod fetch;
mod head;
mod policy;
mod proxy;

pub use address::is_public;
pub use fetch::{FETCH_BYTES, FETCH_REDIRECTS, FetchError, Fetched, fetch};
pub use policy::{Policy, PolicyError, Refused, Rule};
pub use proxy::{Proxy, Request};
