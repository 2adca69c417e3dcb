"""What a notebook does when its reader stops a cell: run by the integration tests.

Arguments: a connection string and a query; the password is in PGPASSWORD. Says `ready`, runs the
query, cancels it when a line comes on standard input, and says how the query ended: a SQLSTATE, or
`answered`.
"""

import sys
import threading

import psycopg

connection = psycopg.connect(sys.argv[1], autocommit=True)
ended = []


def run():
    try:
        connection.execute(sys.argv[2]).fetchall()
        ended.append("answered")
    except psycopg.Error as error:
        ended.append(error.sqlstate or type(error).__name__)


def cancel_when_told():
    if sys.stdin.readline():
        connection.cancel()


print("ready", flush=True)
threading.Thread(target=cancel_when_told, daemon=True).start()
query = threading.Thread(target=run)
query.start()
query.join()
print(ended[0], flush=True)
