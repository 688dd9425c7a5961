"""The command line's help: everything has its place, and a mistake shows the way out."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import fields

import pytest

from gsmooth_core.app import cli, usage
from gsmooth_core.job.settings import DubSettings


def ended(*arguments: str) -> int:
    try:
        return cli.main(list(arguments))
    except SystemExit as end:
        return int(end.code)


@pytest.mark.parametrize("arguments", [("fly",), ("dub",), ("dub", "--strength", "much")])
def test_a_mistake_ends_in_a_few_lines_with_the_way_to_all_options(arguments, capfd):
    assert ended(*arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0].startswith("usage: gsmooth")
    assert len(lines) <= 4
    assert lines[-1].endswith("--help")


def test_a_mistyped_command_is_guessed(capfd):
    assert ended("animat", "--photo", "a.png") == 2
    assert "Did you mean 'animate'?" in capfd.readouterr().err
    assert ended("qqqq") == 2
    assert "Did you mean" not in capfd.readouterr().err


def test_an_unknown_option_is_a_mistake_of_its_command(capfd):
    assert ended("probe", "a.mov", "--voice", "x") == 2
    err = capfd.readouterr().err
    assert "usage: gsmooth probe" in err
    assert "--voice" in err
    assert err.splitlines()[-1] == "All options: gsmooth probe --help"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("dub", "--vidoe", "a.mov", "--audio", "b.wav", "--output", "c.mp4"), "--video"),
        (("dub", "--video", "a", "--audio", "b", "--output", "c", "--strenght=1"), "--strength"),
        (("DUB",), "dub"),
        (("dub", "--mask", "Face"), "face"),
        (("dub", "--codec", "H265"), "hevc"),
        (("dub", "--codec", "avc"), "h264"),
    ],
)
def test_a_mistyped_word_is_guessed_whatever_else_is_missing(arguments, meant, capfd):
    assert ended(*arguments) == 2
    assert f"Did you mean '{meant}'?" in capfd.readouterr().err


@pytest.mark.parametrize("words", [("--vid", "a.mov"), ("--json",), ("--output=--vidoe",)])
def test_no_guess_where_no_option_is_mistyped(words, capfd):
    assert ended("dub", *words) == 2
    assert "Did you mean" not in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [("dub", "--json"), ("probe", "a", "b", "--json")])
def test_who_reads_lines_is_told_of_a_mistake_in_one(arguments, capfd):
    assert ended(*arguments) == 2
    out, err = capfd.readouterr()
    [line] = out.splitlines()
    told = json.loads(line)
    assert (told["event"], told["code"]) == ("error", "bad_input")
    assert told["message"] in err
    assert told["hint"] in err


def test_whoever_types_nothing_is_told_how_to_begin(capfd):
    assert ended() == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "gsmooth doctor" in err
    assert usage.EXAMPLES["dub"][0] in err


@pytest.mark.parametrize("command", ["dub", "animate"])
def test_options_stand_in_groups_in_their_order(command, capfd):
    assert ended(command, "--help") == 0
    out = capfd.readouterr().out
    titles = [title for title in usage.GROUPS if f"\n{title}:\n" in out]
    assert sorted(titles, key=lambda title: out.index(f"\n{title}:\n")) == titles
    assert ("movement" in titles) == (command == "animate")
    common = out[out.index("options:") : out.index("picture in:")]
    assert "--strength" not in common  # nothing is left over for the unnamed group


def test_every_setting_belongs_to_exactly_one_group():
    named = [name for names in usage.GROUPS.values() for name in names]
    assert len(named) == len(set(named))
    assert {known.name for known in fields(DubSettings)} <= set(named)


@pytest.mark.parametrize("line", [line for lines in usage.EXAMPLES.values() for line in lines])
def test_every_example_is_a_command_that_is_understood(line):
    program, *words = shlex.split(line)
    options, unknown = cli._parser().parse_known_args(words)
    assert program == "gsmooth"
    assert (options.action, unknown) == (words[0], [])


def test_a_file_is_asked_for_by_its_kind():
    options = cli._parser()._subparsers._group_actions[0].choices["animate"]._actions
    photo = next(each for each in options if "--photo" in each.option_strings)
    assert isinstance(photo, argparse.Action)
    assert photo.metavar == "PHOTO"
