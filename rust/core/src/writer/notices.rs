//! People in what became of a group, who are named by their numbers where these are known.

use tokio_postgres::Error;

use super::{messages::Row, placeholders};
use crate::{announce, connection::Database, record::Carried};

const NAME: &str = "\
    WITH told AS MATERIALIZED (SELECT m.chat_id, m.key, m.tenant_id, m.device_no, n.* \
                  FROM messages m CROSS JOIN LATERAL notice_by_number(m.device_no, m.body, m.media) n \
                  WHERE m.device_no = ANY ($1) AND m.kind = 12 AND m.media::text LIKE '%@lid\"%') \
    UPDATE messages m SET body = t.body, media = t.media FROM told t \
    WHERE m.chat_id = t.chat_id AND m.key = t.key AND m.media <> t.media \
    RETURNING t.tenant_id, t.device_no, m.chat_id, m.key";

/// A notice that reads otherwise now, by its chat and key.
pub type Renamed = (announce::Chat, i64);

/// Where new ones are among these messages that name somebody by a LID.
pub async fn of_new<'r>(database: &Database, rows: impl Iterator<Item = &'r Row<'r>>) -> Result<(), Error> {
    let named = rows.filter(|row| match &row.message.content.carried {
        Some(Carried::Notice(notice)) => notice.names_by_lid(),
        _ => false,
    });
    let devices: Vec<i32> = named.map(|row| row.device_no).collect();
    of_devices(database, &devices).await.map(drop)
}

/// Of all groups of devices, of whose people more is known now.
pub async fn of_devices(database: &Database, devices: &[i32]) -> Result<Vec<Renamed>, Error> {
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    let rows = database.query(NAME, &[&devices]).await?;
    let renamed: Vec<Renamed> = rows
        .iter()
        .map(|row| (announce::Chat { tenant_id: row.get(0), device_no: row.get(1), id: row.get(2) }, row.get(3)))
        .collect();
    placeholders::show(database, renamed.iter().map(|(chat, _)| chat.id)).await?;
    Ok(renamed)
}
