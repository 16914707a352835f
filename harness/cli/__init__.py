"""The command line: the only reader of arguments.

Each command is a short pipeline of named functions; an exception of ours becomes one clear
message on stderr and the exit code it carries.
"""

from __future__ import annotations

import sys
import traceback

import click

from harness import __version__
from harness.cli import (
    backing_up,
    housekeeping,
    practice,
    reading,
    reports,
    rolling_back,
    running,
    sweeping,
)
from harness.cli.signals import as_interrupts
from harness.errors import DrillError, ExitCode, Interrupted, exit_code_of, exit_codes_in_words


@click.group(epilog=exit_codes_in_words(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="migration-drill")
def mdrill() -> None:
    """Break schema migrations for real, run the recovery, prove from the data that it worked."""


for command in (
    running.run,
    running.teeth,
    sweeping.sweep,
    rolling_back.rollback,
    backing_up.backup,
    practice.practice,
    reading.list_,
    reading.explain,
    reading.validate,
    reading.schema,
    reports.report,
    reports.replay,
    housekeeping.doctor,
    housekeeping.images,
    housekeeping.gc,
):
    mdrill.add_command(command)


def main() -> None:
    """The entry point of ``mdrill``; ends the process with the exit code of what happened."""
    try:
        with as_interrupts():
            code = mdrill.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except Interrupted as error:
        click.echo(f"mdrill: {error}", err=True)
        code = error.exit_code
    except DrillError as error:
        click.echo(f"mdrill: {error}", err=True)
        code = exit_code_of(error)
    except click.exceptions.Abort:
        code = 130
    except Exception:
        traceback.print_exc()
        click.echo("mdrill: this is a bug of ours; please report the lines above", err=True)
        code = ExitCode.BUG
    sys.exit(code if isinstance(code, int) else 0)
