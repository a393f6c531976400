//! The page's addresses.

use crate::components::shell::Shell;
use crate::pages::costs::Costs;
use crate::pages::login::Login;
use crate::pages::not_found::NotFound;
use crate::pages::session::SessionAt;
use crate::pages::sessions::Sessions;
use crate::pages::setup::SetupPage;
use dioxus::prelude::*;

/// The page's addresses.
#[derive(Clone, Debug, PartialEq, Routable)]
#[rustfmt::skip]
pub enum Route {
    /// Makes the first owner.
    #[route("/setup#:secret")]
    SetupPage {
        /// The link's secret; it never reaches the server as part of an address.
        secret: String,
    },
    /// Signs in, and goes back to where one was.
    #[route("/login?:back")]
    Login {
        /// Where one was.
        back: String,
    },
    #[layout(Shell)]
        /// All sessions.
        #[route("/")]
        Sessions {},
        /// What was spent.
        #[route("/costs")]
        Costs {},
        /// One session.
        #[route("/s/:id")]
        SessionAt {
            /// Its id.
            id: String,
        },
    #[end_layout]
    /// Anything else.
    #[route("/:..segments")]
    NotFound {
        /// The address asked for.
        segments: Vec<String>,
    },
}
