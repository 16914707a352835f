"""What sessions send to MariaDB: the general log is MySQL's."""

from harness.engines.mysql.statement_log import begin as begin
from harness.engines.mysql.statement_log import read as read
