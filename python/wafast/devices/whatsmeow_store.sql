-- name: app_state_versions
-- SQLite, as are all of this file: whatsmeow counts what it has taken in of each collection of settings.
SELECT coalesce(group_concat(name || '=' || version, ' '), '')
FROM (SELECT name, version FROM whatsmeow_app_state_version ORDER BY name)

-- name: chats_on_phone
-- A person may be there by number and by LID; what is set by LID is newer, and comes last.
WITH wanted AS (SELECT value AS jid FROM json_each(:jids))
SELECT jid, name, muted_until, pinned, archived
FROM (
    SELECT their_jid AS jid, full_name AS name, NULL AS muted_until, NULL AS pinned, NULL AS archived
    FROM whatsmeow_contacts WHERE full_name <> ''
    UNION ALL
    SELECT chat_jid, NULL, muted_until, pinned, archived FROM whatsmeow_chat_settings
)
WHERE :jids IS NULL OR jid IN (
    SELECT jid FROM wanted
    UNION ALL
    SELECT m.lid || '@lid' FROM wanted JOIN whatsmeow_lid_map m ON m.pn = replace(wanted.jid, '@s.whatsapp.net', '')
)
ORDER BY jid LIKE '%@lid'
