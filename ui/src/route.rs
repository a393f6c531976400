//! The page's addresses.

use crate::components::shell::Shell;
use crate::pages::audit::Audit;
use crate::pages::costs::Costs;
use crate::pages::join::JoinPage;
use crate::pages::login::Login;
use crate::pages::not_found::NotFound;
use crate::pages::past::PastPage;
use crate::pages::people::People;
use crate::pages::reset::ResetPage;
use crate::pages::session::SessionAt;
use crate::pages::sessions::Sessions;
use crate::pages::settings::Settings;
use crate::pages::setup::SetupPage;
use crate::pages::share::SharePage;
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
    /// Makes an account in a team.
    #[route("/join#:secret")]
    JoinPage {
        /// The invitation's secret.
        secret: String,
    },
    /// Sets a new password.
    #[route("/reset#:secret")]
    ResetPage {
        /// The link's secret.
        secret: String,
    },
    /// Signs in, and goes back to where one was.
    #[route("/login?:back")]
    Login {
        /// Where one was.
        back: String,
    },
    /// Takes a link to a session up.
    #[route("/share#:secret")]
    SharePage {
        /// The link's secret; it never reaches the server as part of an address.
        secret: String,
    },
    /// A stretch of a session's past, for who came by a link to it.
    #[route("/past")]
    PastPage {},
    #[layout(Shell)]
        /// All sessions.
        #[route("/")]
        Sessions {},
        /// What was spent.
        #[route("/costs")]
        Costs {},
        /// What is one's own.
        #[route("/settings")]
        Settings {},
        /// The people of the team.
        #[route("/people")]
        People {},
        /// Who did what.
        #[route("/audit")]
        Audit {},
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
