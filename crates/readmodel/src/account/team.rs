//! What a team may spend.

use super::{AccountError, Accounts, User};
use duplex_domain::TeamId;

/// What a person may do in their team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamRole {
    /// Also sees and limits what the team spends.
    Owner,
    /// Works in it.
    Member,
    /// Was let into some of its sessions.
    Guest,
}

impl TeamRole {
    /// The role behind a column's word; one that is not known may do the least.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "owner" => Self::Owner,
            "member" => Self::Member,
            _ => Self::Guest,
        }
    }
}

impl Accounts {
    /// What a team may spend in a calendar month, in picodollars; none if there is no limit, or no such team.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn team_budget(&self, team: TeamId) -> Result<Option<u64>, AccountError> {
        let sql = "SELECT budget FROM account.team WHERE id = $1";
        let client = self.database.client().await?;
        let statement = client.prepare_cached(sql).await?;
        let row = client.query_opt(&statement, &[&team.0]).await?;
        let budget: Option<i64> = row.and_then(|row| row.get(0));
        Ok(budget.map(crate::row::count))
    }

    /// Limits what a person's team may spend in a calendar month, in picodollars; none lifts the limit.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`] unless the person owns the team, [`AccountError::Budget`] for more money than
    /// can be counted.
    pub async fn set_team_budget(&self, by: &User, pico: Option<u64>) -> Result<(), AccountError> {
        if by.role != TeamRole::Owner {
            return Err(AccountError::NotTheOwner);
        }
        let pico = pico.map(i64::try_from).transpose();
        let pico = pico.map_err(|_| AccountError::Budget)?;
        let sql = "UPDATE account.team SET budget = $1 WHERE id = $2";
        let client = self.database.client().await?;
        client.execute(sql, &[&pico, &by.team.0]).await?;
        Ok(())
    }
}
