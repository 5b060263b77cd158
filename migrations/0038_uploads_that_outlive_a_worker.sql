-- What WhatsApp answered when a device uploaded a file: a campaign's picture is not uploaded once more by each device when
-- its worker is started anew (devices/uploads.py). A row is worth nothing after a day.
CREATE TABLE uploads (
    tenant_id   int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no   int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    kind        text NOT NULL,
    answer      bytea NOT NULL,              -- neonize's UploadResponse: where the file is, and its key
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device_no, sha256, kind)
);
CREATE INDEX uploads_of_tenant ON uploads (tenant_id);
