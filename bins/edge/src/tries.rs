//! Guessing secrets is slow: wrong ones are counted for the network they come from.

use crate::app::App;
use crate::client::Client;
use crate::failure::Failure;
use duplex_readmodel::AccountError;

/// Lets somebody try a secret (a password, a link, a code), if their network has not tried too many wrong ones today.
/// The try is counted before, so that guesses made at once are counted too, and forgotten unless it was a wrong guess.
pub(crate) async fn guessed<T>(
    app: &App,
    client: Client,
    attempt: impl Future<Output = Result<T, AccountError>>,
) -> Result<T, Failure> {
    let network = client.network().to_string();
    let counted = app.accounts.count_try(&network, app.wrong_tries).await?;
    let outcome = attempt.await;
    if !matches!(&outcome, Err(error) if error.is_wrong_guess()) {
        app.accounts.forget_try(counted).await?;
    }
    Ok(outcome?)
}
