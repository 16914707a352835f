"""A sweep of what a git revision lacks, on values for placeholders, in a folder a little below."""

from __future__ import annotations

import subprocess
from pathlib import Path

from swept import arguments, run, write

FILES = {
    "sql/V1__users.sql": "CREATE SCHEMA ${app};\nCREATE TABLE ${app}.users (id integer);\n",
    "sql/V2__phone.sql": "ALTER TABLE ${APP}.users ADD COLUMN phone varchar(60);\n",
}
MORE = {"sql/V3__fax.sql": "ALTER TABLE ${app}.users ADD COLUMN fax text DEFAULT '${app}';\n"}
ONE_WAY = ("--ways", "client-sigkill", "--rows", "3")


def git(folder: Path, *words: str) -> None:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


def test_only_what_a_revision_lacks_is_swept(tmp_path):
    """Its own state is made by those before it; and a sweep that is taken up again keeps to it,
    wherever the revision points to by then."""
    shop = write(tmp_path / "shop", FILES)
    git(shop, "init", "--quiet")
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message", "first")
    git(shop, "tag", "published")
    write(shop, MORE)
    more = ("--since", "published", "--placeholder", "app=shop", *ONE_WAY)
    done = run(*arguments(shop, "postgres", tmp_path / "out", *more))
    assert done.code == 0, done.err
    assert "since published" in done.err
    assert done.result.planned == ("3",)
    assert [migration.version for migration in done.result.migrations] == ["3"]
    labels = [row.label for row in done.migration("3").reference.rows]
    assert "ALTER TABLE shop.users ADD COLUMN fax text DEFAULT 'shop'" in labels
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message", "second")
    git(shop, "tag", "--force", "published")
    again = run("sweep", "--resume", str(done.folder), "--json")
    assert again.code == 0, again.err
    assert [migration.version for migration in again.result.migrations] == ["3"]
    nothing = run(*arguments(shop, "postgres", tmp_path / "out", *more))
    assert nothing.code == 5
    assert "has all 3 migrations, as they are here" in nothing.err


def test_a_placeholder_without_a_value_starts_no_server(tmp_path):
    shop = write(tmp_path / "shop", FILES)
    done = run(*arguments(shop, "postgres", tmp_path / "out"))
    assert done.code == 2
    assert f"{shop}/sql/V1__users.sql:1: no value for the placeholder ${{app}}" in done.err
    assert "--placeholder app=VALUE" in done.err
    assert not (tmp_path / "out").exists()


def test_a_folder_above_is_swept_as_the_one_that_is_meant(tmp_path):
    """Prisma's, whose folder has the schema beside the migrations."""
    init = 'CREATE TABLE "User" (id integer PRIMARY KEY);\n'
    shop = write(
        tmp_path / "shop",
        {
            "prisma/schema.prisma": 'datasource db { provider = "postgresql" }\n',
            "prisma/migrations/20240101_init/migration.sql": init,
        },
    )
    done = run(*arguments(shop, "postgres", tmp_path / "out", *ONE_WAY))
    assert done.code == 0, done.err
    assert f"{shop}: the migrations are in {shop}/prisma/migrations" in done.err
    assert [migration.version for migration in done.result.migrations] == ["20240101_init"]
