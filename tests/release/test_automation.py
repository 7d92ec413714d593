"""Check the GitHub workflows on this machine: schemas, pins, permissions, shell, and names."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import check_jsonschema
from click.testing import CliRunner
import pytest
import yaml

from tests.release.conftest import ROOT, run_release

GITHUB = ROOT / ".github"
BIN = Path(sys.executable).parent

type Table = dict[str, Any]

WORKFLOWS: dict[str, Table] = {
    path.name: yaml.load(path.read_text(), yaml.BaseLoader)
    for path in sorted((GITHUB / "workflows").glob("*.y*ml"))
}


def jobs() -> Iterator[tuple[str, Table]]:
    """Yield every job with its file and name."""
    for file, workflow in WORKFLOWS.items():
        for name, job in workflow["jobs"].items():
            yield f"{file}: {name}", job


def steps() -> Iterator[tuple[str, Table]]:
    """Yield every step with the job's file and name."""
    for where, job in jobs():
        for step in job.get("steps", ()):
            yield where, step


def commands() -> str:
    """Return all commands of the workflows, line after line."""
    return "\n".join(step["run"] for _, step in steps() if "run" in step)


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", "workflows/*.yaml"),
        ("custom.github-workflows-require-timeout", "workflows/*.yaml"),
        ("vendor.dependabot", "dependabot.yml"),
        ("vendor.github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
        ("vendor.github-issue-config", "ISSUE_TEMPLATE/config.yml"),
    ],
)
def test_files_keep_to_githubs_schemas(schema: str, files: str) -> None:
    """Validate the files against SchemaStore's and GitHub's schemas, from check-jsonschema."""
    found = sorted(GITHUB.glob(files))
    assert found
    result = CliRunner().invoke(
        check_jsonschema.main, ["--builtin-schema", schema, *map(str, found)]
    )
    assert result.exit_code == 0, result.output


def test_actions_are_pinned() -> None:
    """Pin each action by commit, with the version for dependabot behind; a tag can move to other code."""
    for path in (GITHUB / "workflows").glob("*.yaml"):
        for line in path.read_text().splitlines():
            if "uses:" in line and "uses: ./" not in line:
                assert re.fullmatch(
                    r"\s+(?:- )?uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # \S+.*", line
                ), f"{path.name}: {line.strip()}"


def test_all_workflows_use_the_same_version_of_an_action() -> None:
    """Use the same version of an action in all workflows."""
    used: dict[str, set[str]] = {}
    for _, step in steps():
        if "uses" in step:
            action, _, commit = step["uses"].partition("@")
            used.setdefault(action, set()).add(commit)
    assert used
    assert {action for action, commits in used.items() if len(commits) > 1} == set()


def test_each_job_has_only_its_needed_permissions() -> None:
    """Grant nothing by default, and writing only to the jobs with something to publish."""
    for file, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {}, file
    writing = {
        where: {what for what, right in job["permissions"].items() if right == "write"}
        for where, job in jobs()
        if "write" in job["permissions"].values()
    }
    assert writing == {
        "release.yaml: publish": {"contents", "id-token", "attestations"},
        "release.yaml: page": {"pages", "id-token"},
    }
    for where, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false", where


def test_nothing_from_outside_is_written_into_a_script() -> None:
    """Pass an event's content to the shell through the environment only."""
    for where, step in steps():
        assert "${{" not in step.get("run", ""), where


def test_scripts_of_the_steps_are_sound() -> None:
    """Check the steps' scripts with ShellCheck in GitHub's form."""
    for where, step in steps():
        if "run" in step:
            result = subprocess.run(
                [BIN / "shellcheck", "--shell", "bash", "-"],
                input=f"#!/bin/bash -e\n{step['run']}\n",
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, f"{where}: {result.stdout}"


def test_steps_call_existing_scripts() -> None:
    """Find every script and requirement named in workflows, and every command of scripts/release."""
    named = re.findall(
        r"(?<![\w/])(?:scripts|requirements|esphome)/[\w./-]+", commands()
    )
    assert {"scripts/setup", "scripts/test", "requirements/esphome.txt"} <= set(named)
    for path in named:
        # Made by a step before, or completed by the shell.
        if "node_modules" not in path:
            assert (ROOT / path).exists(), path
    called = set(re.findall(r"scripts/release (\w+)", commands()))
    known = set(
        re.findall(
            r"^#   scripts/release (\w+)",
            (ROOT / "scripts/release").read_text(),
            re.MULTILINE,
        )
    )
    assert called == known - {"prepare", "reopen"}


def test_every_configuration_is_compiled_with_the_newest_esphome_and_the_next() -> None:
    """List the folder's configurations completely, for both ESPHome releases."""
    compile_ = WORKFLOWS["firmware.yaml"]["jobs"]["compile"]
    matrix = compile_["strategy"]["matrix"]
    assert matrix["esphome"] == ["stable", "beta"]
    assert "needs.list.outputs.configurations" in matrix["configuration"]
    listed = run_release(ROOT, "configurations").stdout
    there = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "esphome").rglob("*.yaml")
        if not {"packages", "components", ".esphome"} & set(path.parts)
        and path.name != "secrets.yaml"
    }
    assert len(there) >= 9
    assert set(json.loads(listed)) == there


def test_a_release_waits_for_the_tests_and_every_image() -> None:
    """Publish only after tests and images pass, and offer meters no trial version."""
    release = WORKFLOWS["release.yaml"]
    assert release["on"] == {"push": {"tags": ["v*"]}}
    jobs_ = release["jobs"]
    assert jobs_["test"]["uses"] == "./.github/workflows/test.yaml"
    assert "workflow_call" in WORKFLOWS["test.yaml"]["on"]
    assert set(jobs_["publish"]["needs"]) == {"check", "test", "image"}
    assert "publish" in jobs_["page"]["needs"]
    assert jobs_["page"]["if"] == "needs.check.outputs.trial == 'false'"


def test_published_checks_of_home_assistant_and_hacs_run() -> None:
    """Run hassfest and the HACS action on GitHub, as neither can run here."""
    used = {step["uses"].partition("@")[0] for _, step in steps() if "uses" in step}
    assert {"home-assistant/actions/hassfest", "hacs/action"} <= used


def test_dependabot_watches_existing_folders_and_requirements() -> None:
    """Find every watched folder, and every allowed name among the requirements."""
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    watched = {update["package-ecosystem"]: update for update in updates}
    assert set(watched) == {"github-actions", "pip", "npm", "devcontainers"}
    for update in updates:
        assert (ROOT / update["directory"].strip("/")).is_dir()
    required = " ".join(
        path.read_text() for path in (ROOT / "requirements").glob("*.in")
    )
    for allowed in watched["pip"]["allow"]:
        name = allowed["dependency-name"]
        assert re.search(rf"(?m)(?:^|\s){re.escape(name)}(?:==|\s|$)", required), name


def test_bug_reports_require_the_facts() -> None:
    """Require diagnostics, three versions and the wiring in a bug report."""
    form = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE/bug.yml").read_text())
    required = {
        field["id"]
        for field in form["body"]
        if field.get("validations", {}).get("required")
    }
    assert required >= {
        "diagnostics",
        "firmware",
        "home-assistant",
        "integration",
        "wiring",
    }


def test_reviews_go_to_those_the_manifest_names() -> None:
    """CODEOWNERS and the manifest say the same."""
    manifest = json.loads(
        (ROOT / "custom_components/nrj_monitor/manifest.json").read_text()
    )
    lines = (GITHUB / "CODEOWNERS").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules == [f"* {' '.join(manifest['codeowners'])}"]


def test_a_commit_runs_the_lint_step() -> None:
    """The hook is the command itself: there is no second list of linters."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    ((hook,),) = [repository["hooks"] for repository in config["repos"]]
    assert config["repos"][0]["repo"] == "local"
    assert hook["entry"] == "scripts/test lint"
    assert hook["language"] == "system"
    assert hook["pass_filenames"] is False
    assert hook["always_run"] is True


def test_the_development_container_starts_the_demo() -> None:
    """Set up demo and tests in the container, and open the demo's page."""
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    # Of the keys of containers.dev's reference for an image.
    assert set(container) <= {
        "customizations",
        "forwardPorts",
        "image",
        "name",
        "portsAttributes",
        "postAttachCommand",
        "postCreateCommand",
    }
    assert re.fullmatch(r"python:3\.14(?:-\w+)?", container["image"])
    assert container["postAttachCommand"] == "scripts/demo"
    assert "scripts/setup demo" in container["postCreateCommand"]
    assert "scripts/setup test" in container["postCreateCommand"]
    said = (ROOT / "scripts/demo").read_text()
    (port,) = re.findall(r"port of Home Assistant's pages \((\d+)\)", said)
    assert container["forwardPorts"] == [int(port)]
    assert set(container["portsAttributes"]) == {port}
