"""What a notebook does with psycopg: run by the integration tests, fails by raising.

Arguments: a connection string; the password is in PGPASSWORD.
"""

import datetime
import decimal
import sys
import threading
import time

import psycopg

connection = psycopg.connect(sys.argv[1], autocommit=True)


def rows(sql, parameters=None, **options):
    return connection.execute(sql, parameters, **options).fetchall()


# Parameters of every kind that planners pass, whole numbers against exact decimals among them.
assert rows("SELECT ten FROM danh_muc.don_vi WHERE ma = %s ORDER BY tu_ngay", ("24",)) == [
    ("Bắc Giang",),
    ("Bắc Ninh",),
]
above = "SELECT count(*) FROM chi_tieu.gia_tri WHERE ma_chi_tieu = %s AND ky >= %s AND tu_so > %s"
counts = {
    type(least).__name__: rows(above, ("sxh_so_mac_thang", datetime.date(2017, 1, 1), least))
    for least in (100, 40_000_000_000, 100.0, decimal.Decimal(100))
}
assert counts["int"] == [(0,)], counts  # the larger of the two came last
assert counts["float"] == counts["Decimal"] != [(0,)], counts
assert rows(above, ("sxh_so_mac_thang", datetime.date(2017, 1, 1), 100)) == counts["Decimal"]
for year in (2010, 2012, 2014):
    prepared = "SELECT count(*) FROM kho.lao_quy WHERE date_part('year', quy) = %s"
    assert rows(prepared, (year,), prepare=True)[0][0] > 0, year

# Types arrive as Python's own, in text and in binary.
one = "SELECT don_vi, ky, tu_so, gia_tri FROM chi_tieu.gia_tri WHERE gia_tri IS NOT NULL LIMIT 1"
for binary in (False, True):
    row = connection.execute(one, binary=binary).fetchone()
    kinds = [type(value) for value in row]
    assert kinds == [str, datetime.date, decimal.Decimal, float], kinds

# A long answer in pieces, by a cursor of the server.
with psycopg.connect(sys.argv[1]) as reading, reading.cursor(name="dai") as cursor:
    cursor.itersize = 5_000
    cursor.execute("SELECT * FROM kho.benh_truyen_nhiem_thang")
    assert cursor.description[0].name == "benh", cursor.description
    assert sum(1 for _ in cursor) == rows("SELECT count(*) FROM kho.benh_truyen_nhiem_thang")[0][0]

# Faults are exceptions of their own class.
for sql, fault in [
    ("SELECT khong_co FROM kho.lao_quy", psycopg.errors.UndefinedColumn),
    ("SELECT * FROM kho.khong_co", psycopg.errors.UndefinedTable),
    ("DELETE FROM kho.lao_quy", psycopg.errors.ReadOnlySqlTransaction),
    ("COPY kho.lao_quy TO STDOUT", psycopg.errors.ReadOnlySqlTransaction),
]:
    try:
        connection.execute(sql)
    except fault:
        continue
    raise AssertionError(f"{sql} was not refused")

# What SQLAlchemy, and with it Superset and pandas, reads first.
assert rows("SELECT pg_catalog.version()")[0][0].startswith("PostgreSQL 16"), "version()"

# A look-up that fails inside a transaction, as drivers make, does not end it.
with psycopg.connect(sys.argv[1]) as outer:
    outer.execute("SELECT 1")
    try:
        with outer.transaction():
            outer.execute("SELECT * FROM kho.khong_co")
    except psycopg.errors.UndefinedTable:
        pass
    assert outer.execute("SELECT 2").fetchone() == (2,)

# Nothing set on one connection reaches another.
for sql in ("SET datafusion.runtime.memory_limit = '1K'", "SET datafusion.sql_parser.dialect = 'x'"):
    try:
        connection.execute(sql)
    except psycopg.errors.ReadOnlySqlTransaction:
        continue
    raise AssertionError(f"{sql} was not refused")
connection.execute("SET application_name = 'notebook'")
connection.execute("RESET ALL")

# A cursor of the server with parameters, moved and read in binary.
with psycopg.connect(sys.argv[1]) as reading, reading.cursor(name="co gia tri", binary=True) as cursor:
    cursor.execute("SELECT value FROM generate_series(1, 200) WHERE value <= %s ORDER BY value", (100,))
    assert cursor.fetchmany(2) == [(1,), (2,)]
    cursor.scroll(10)
    assert cursor.fetchone() == (13,)
    assert len(cursor.fetchall()) == 87

# Many statements under way at once; what follows a failed one is left out.
with connection.pipeline():
    answers = [connection.execute("SELECT %s::int", (number,)) for number in range(5)]
assert [answer.fetchone() for answer in answers] == [(number,) for number in range(5)]
try:
    with connection.pipeline():
        connection.execute("SELECT * FROM kho.khong_co")
        connection.execute("SELECT 1")
except psycopg.errors.UndefinedTable:
    pass
else:
    raise AssertionError("a fault in a pipeline was not told")
assert rows("SELECT 1") == [(1,)]

# A query that would run for days is stopped by its time, and by another thread.
endless = (
    "SELECT sum(a.value * b.value) FROM generate_series(1, 1000000) AS a "
    "CROSS JOIN generate_series(1, 1000000) AS b"
)
connection.execute("SET statement_timeout = '200ms'")
assert rows("SHOW statement_timeout") == [("200ms",)]
for prepare in (False, True):
    try:
        connection.execute(endless, prepare=prepare)
    except psycopg.errors.QueryCanceled:
        continue
    raise AssertionError("statement_timeout did not end a query")
connection.execute("RESET statement_timeout")
for sql in (endless, "SELECT * FROM generate_series(1, 1000000000)"):
    stopper = threading.Timer(0.3, connection.cancel_safe)
    stopper.start()
    began = time.monotonic()
    try:
        connection.execute(sql)
    except psycopg.errors.QueryCanceled:
        assert time.monotonic() - began < 1.3, "it was stopped late"
        stopper.join()
        continue
    raise AssertionError(f"{sql} was not stopped")
assert rows("SELECT 1") == [(1,)]

# A transaction that has failed hears nothing but its end.
with psycopg.connect(sys.argv[1]) as failing:
    try:
        failing.execute("SELECT * FROM kho.khong_co")
    except psycopg.errors.UndefinedTable:
        pass
    try:
        failing.execute("SELECT 1")
    except psycopg.errors.InFailedSqlTransaction:
        failing.rollback()
    else:
        raise AssertionError("a failed transaction went on")
    assert failing.execute("SELECT 1").fetchone() == (1,)
