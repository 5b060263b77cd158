-- Keys that do something by themselves beside the fields: whoever dictates switches them off, on every machine.
ALTER TABLE users ADD single_keys boolean NOT NULL DEFAULT true;
