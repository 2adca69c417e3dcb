-- What the product remembers of its own running, apart from the lake. One text for SQLite and
-- PostgreSQL: TEXT and BIGINT only. An instant is the microseconds since 1970-01-01 00:00 UTC.

-- Accounts: one row a person. bi_mat is what SCRAM-SHA-256 needs, never the password.
CREATE TABLE tai_khoan (
    ten TEXT NOT NULL PRIMARY KEY,
    vai_tro TEXT NOT NULL,
    nhay_cam TEXT NOT NULL,
    pham_vi TEXT NOT NULL,
    bi_mat TEXT NOT NULL,
    tao_luc BIGINT NOT NULL
);

-- Web sessions: one row a session. dau_van is the SHA-256 of the token, which is kept nowhere.
CREATE TABLE phien (
    dau_van TEXT NOT NULL PRIMARY KEY,
    ten TEXT NOT NULL,
    mo_luc BIGINT NOT NULL,
    dung_luc BIGINT NOT NULL
);
CREATE INDEX phien_ten ON phien (ten);

-- Failed log-ins: one row a failure. ten_bam is a hash of the name: what is typed there by mistake
-- may be a password.
CREATE TABLE dang_nhap_sai (
    ten_bam TEXT NOT NULL,
    luc BIGINT NOT NULL
);
CREATE INDEX dang_nhap_sai_ten ON dang_nhap_sai (ten_bam, luc);
CREATE INDEX dang_nhap_sai_luc ON dang_nhap_sai (luc);

-- The account of queries: one row a query. bang and cot are JSON lists of names; no text, literal
-- or parameter of a query is here. A row without ket_qua belongs to a query that is running, in
-- the run of the program named by tien_trinh.
CREATE TABLE truy_van (
    so BIGINT NOT NULL PRIMARY KEY,
    tien_trinh BIGINT NOT NULL,
    ten TEXT NOT NULL,
    vai_tro TEXT NOT NULL,
    cua TEXT NOT NULL,
    bang TEXT NOT NULL,
    cot TEXT NOT NULL,
    bat_dau BIGINT NOT NULL,
    ket_qua TEXT,
    so_dong BIGINT,
    so_byte BIGINT,
    thoi_gian_ms BIGINT
);
CREATE INDEX truy_van_dang_chay ON truy_van (tien_trinh) WHERE ket_qua IS NULL;

-- The last number given out. Its row is locked until the commit, so numbers appear in their order
-- and whoever reads past one has seen all before it.
CREATE TABLE bo_dem (
    ten TEXT NOT NULL PRIMARY KEY,
    gia_tri BIGINT NOT NULL
);
INSERT INTO bo_dem (ten, gia_tri) VALUES ('truy_van', 0);

-- What is made once and then kept.
CREATE TABLE thiet_lap (
    ten TEXT NOT NULL PRIMARY KEY,
    gia_tri TEXT NOT NULL
);
