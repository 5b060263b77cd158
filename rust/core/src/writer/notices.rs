//! People in what became of a group, who are named by their numbers where these are known.

use tokio_postgres::Error;

use super::{messages::Row, placeholders};
use crate::{announce, connection::Database, record::Carried};

const GROUPS: &str = "SELECT id FROM chats WHERE device_no = ANY ($1) AND is_group";
const NAME: &str = "\
    WITH told AS MATERIALIZED (SELECT m.chat_id, m.key, c.tenant_id, c.device_no, n.* \
                  FROM chats c JOIN messages m ON m.chat_id = c.id CROSS JOIN LATERAL notice_by_number(c.device_no, m.body, m.media) n \
                  WHERE c.id = ANY ($1) AND m.kind = 12 AND m.media IS NOT NULL) \
    UPDATE messages m SET body = t.body, media = t.media FROM told t \
    WHERE m.chat_id = t.chat_id AND m.key = t.key AND m.media <> t.media \
    RETURNING t.tenant_id, t.device_no, m.chat_id, m.key";

/// A notice that reads otherwise now, by its chat and key.
pub type Renamed = (announce::Chat, i64);

/// Of new messages: those notices that name somebody by a LID.
pub async fn of_new<'r>(database: &Database, rows: impl Iterator<Item = &'r Row<'r>>) -> Result<(), Error> {
    let named = rows.filter(|row| match &row.message.content.carried {
        Some(Carried::Notice(notice)) => notice.names_by_lid(),
        _ => false,
    });
    let chats: Vec<i64> = named.map(|row| row.chat_id).collect();
    name(database, &chats).await.map(drop)
}

/// Of all groups of devices, of whose people more is known now.
pub async fn of_devices(database: &Database, devices: &[i32]) -> Result<Vec<Renamed>, Error> {
    let groups = database.query(GROUPS, &[&devices]).await?;
    name(database, &groups.iter().map(|row| row.get(0)).collect::<Vec<i64>>()).await
}

async fn name(database: &Database, chats: &[i64]) -> Result<Vec<Renamed>, Error> {
    if chats.is_empty() {
        return Ok(Vec::new());
    }
    let rows = database.query(NAME, &[&chats]).await?;
    let renamed: Vec<Renamed> = rows
        .iter()
        .map(|row| (announce::Chat { tenant_id: row.get(0), device_no: row.get(1), id: row.get(2) }, row.get(3)))
        .collect();
    placeholders::show(database, renamed.iter().map(|(chat, _)| chat.id)).await?;
    Ok(renamed)
}
